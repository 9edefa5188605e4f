"""What an alert says: in plain text, as JSON for programs, and in Slack's blocks.

Pure functions: nothing here asks Dagster or sends anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, urlencode

from sparkify_assets.partitions import ranges_of
from sparkify_assets.refresh.reasons import FailedCheck, FailedStep, Reasons, first_line
from sparkify_assets.refresh.run_tags import months_of
from sparkify_assets.sensors.attempts import ATTEMPT_TAG, MOST_ATTEMPTS

Form = Literal["slack", "json"]
# Of a reason; Slack takes 3,000 characters a block, and an escaped one is five.
_MOST_CHARACTERS = 500
_MOST_IN_TEXT = 5
_MOST_BLOCKS = 40  # of Slack's 50
_MOST_RANGES = 3


@dataclass(frozen=True)
class Alert:
    """One failed run.

    Attributes:
        ui: where people open Dagster's UI.
        attempt: of how many that the sensor makes; None where it did not start the run.
    """

    job: str
    run_id: str
    ui: str
    reasons: Reasons
    lake: str = ""
    months: tuple[str, ...] = ()
    attempt: int | None = None

    @property
    def url(self) -> str:
        """The run's page."""
        return f"{self.ui.rstrip('/')}/runs/{quote(self.run_id)}"

    @property
    def title(self) -> str:
        """What failed, in a line."""
        again = f" (attempt {self.attempt} of {MOST_ATTEMPTS})" if self.attempt else ""
        return f"{self.job} failed{again}" + _of(self.months)

    def url_of(self, check: FailedCheck) -> str:
        """The check's page, below its asset."""
        asset = "/".join(quote(part, safe="") for part in check.asset.split("/"))
        query = urlencode({"view": "checks", "checkDetail": check.name})
        return f"{self.ui.rstrip('/')}/assets/{asset}?{query}"


def alert_of(
    job: str, run_id: str, tags: Mapping[str, str], why: Reasons, *, ui: str, lake: str
) -> Alert:
    """The alert for a run with these tags."""
    attempt = tags.get(ATTEMPT_TAG, "")
    return Alert(
        job=job,
        run_id=run_id,
        ui=ui,
        reasons=why,
        lake=lake,
        months=tuple(months_of(tags)),
        attempt=int(attempt) if attempt.isdecimal() else None,
    )


def message(alert: Alert, form: Form) -> dict[str, Any]:
    """What is posted."""
    return _slack(alert) if form == "slack" else _json(alert)


def _json(alert: Alert) -> dict[str, Any]:
    why = alert.reasons
    return {
        "text": "\n".join([alert.title, *_some(_items(alert)), alert.url]),
        "job": alert.job,
        "run_id": alert.run_id,
        "url": alert.url,
        "lake": alert.lake,
        "months": list(alert.months),
        "attempt": alert.attempt,
        "attempts": MOST_ATTEMPTS if alert.attempt else None,
        "reason": _short(why.run) or None,
        "steps": [
            {"asset": step.asset, "months": list(step.months), "reason": _short(step.reason)}
            for step in why.steps
        ],
        "checks": [
            {
                "asset": check.asset,
                "check": check.name,
                "months": list(check.months),
                "description": _short(check.description),
                "url": alert.url_of(check),
            }
            for check in why.checks
        ],
    }


def _slack(alert: Alert) -> dict[str, Any]:
    why = alert.reasons
    blocks = [_section(f":red_circle: *{_link(alert.url, alert.title)}*")]
    found = [_section(_escaped(_short(why.run)))] if why.run else []
    found += [
        _section(f"*{_escaped(_named(step))}*\n{_escaped(_short(step.reason))}")
        for step in why.steps
    ]
    for check in why.checks:
        name = _link(alert.url_of(check), f"check {check.name} of {check.asset}")
        told = _escaped(_short(check.description))
        found.append(_section(f"*{name}*{_escaped(_of(check.months))} did not pass\n{told}"))
    blocks += found[:_MOST_BLOCKS]
    if len(found) > _MOST_BLOCKS:
        blocks.append(_section(f"… and {len(found) - _MOST_BLOCKS} more"))
    foot = f"{alert.lake} · run {alert.run_id}".removeprefix(" · ")
    elements = [{"type": "mrkdwn", "text": _escaped(foot[:_MOST_CHARACTERS])}]
    blocks.append({"type": "context", "elements": elements})
    # Slack shows the text in notifications, and the blocks in the channel.
    text = "\n".join([alert.title, *_some(_items(alert))])
    return {"text": _escaped(text), "blocks": blocks}


def _items(alert: Alert) -> list[str]:
    """What failed, a line each."""
    why = alert.reasons
    lines = [_short(why.run)] if why.run else []
    lines += [f"{_named(step)}: {_short(step.reason)}" for step in why.steps]
    for check in why.checks:
        told = f": {_short(check.description)}" if check.description else ""
        name = f"check {check.name} of {check.asset}{_of(check.months)}"
        lines.append(f"{name} did not pass{told} ({alert.url_of(check)})")
    return lines


def _some(lines: Sequence[str]) -> list[str]:
    more = [f"… and {len(lines) - _MOST_IN_TEXT} more"] if len(lines) > _MOST_IN_TEXT else []
    return [*lines[:_MOST_IN_TEXT], *more]


def _named(step: FailedStep) -> str:
    return step.asset + _of(step.months)


def _of(months: Iterable[str]) -> str:
    """Months for people: `, 2018-11 to 2019-01`."""
    ranges = ranges_of(sorted(months))
    found = [r[0] if len(r) == 1 else f"{r[0]} to {r[-1]}" for r in ranges[:_MOST_RANGES]]
    if len(ranges) > _MOST_RANGES:
        found.append("…")
    return "".join(f", {one}" for one in found)


def _short(text: str) -> str:
    line = first_line(text)
    return line if len(line) <= _MOST_CHARACTERS else f"{line[:_MOST_CHARACTERS]}…"


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _link(url: str, text: str) -> str:
    # A bar would end the address, a bracket the link.
    return f"<{url.replace('|', '%7C').replace('>', '%3E')}|{_escaped(text).replace('|', '/')}>"


def _escaped(text: str) -> str:
    """As Slack asks for: so no line of a log can mention a channel."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
