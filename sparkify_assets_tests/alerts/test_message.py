"""What an alert says."""

from __future__ import annotations

import json
from typing import Any

from sparkify_assets.alerts.message import Alert, alert_of, message
from sparkify_assets.refresh.reasons import FailedCheck, FailedStep, Reasons
from sparkify_assets.refresh.run_tags import range_tags

RUN = "5a3c0e6e-0000-4000-8000-000000000000"
UI = "http://dagster.example:3000/prefix/"
STEP = FailedStep("songplays", ("2018-11",), "3 plays are <lost> & gone; run again\nmore")
CHECK = FailedCheck("tables/songplays", "ids are unique", ("2018-11", "2018-12"), "3 ids twice")


def alert(why: Reasons, **tags: str) -> Alert:
    return alert_of("refresh", RUN, tags, why, ui=UI, lake="/lake")


def texts(payload: Any) -> list[str]:
    """All texts of a payload for Slack."""
    blocks = [
        b["text"]["text"] if "text" in b else b["elements"][0]["text"] for b in payload["blocks"]
    ]
    return [payload["text"], *blocks]


def test_as_json_everything_has_a_field_of_its_own() -> None:
    tags = {"sparkify/attempt": "2", **range_tags(("2018-11", "2018-12"))}
    found = message(alert(Reasons((STEP,), (CHECK,)), **tags), "json")
    page = "http://dagster.example:3000/prefix"
    assert found == {
        "text": "refresh failed (attempt 2 of 7), 2018-11 to 2018-12\n"
        "songplays, 2018-11: 3 plays are <lost> & gone; run again\n"
        "check ids are unique of tables/songplays, 2018-11 to 2018-12 did not pass: 3 ids twice "
        f"({page}/assets/tables/songplays?view=checks&checkDetail=ids+are+unique)\n"
        f"{page}/runs/{RUN}",
        "job": "refresh",
        "run_id": RUN,
        "url": f"{page}/runs/{RUN}",
        "lake": "/lake",
        "months": ["2018-11", "2018-12"],
        "attempt": 2,
        "attempts": 7,
        "reason": None,
        "steps": [
            {
                "asset": "songplays",
                "months": ["2018-11"],
                "reason": "3 plays are <lost> & gone; run again",
            }
        ],
        "checks": [
            {
                "asset": "tables/songplays",
                "check": "ids are unique",
                "months": ["2018-11", "2018-12"],
                "description": "3 ids twice",
                "url": f"{page}/assets/tables/songplays?view=checks&checkDetail=ids+are+unique",
            }
        ],
    }


def test_a_run_without_a_failed_step_tells_its_own_reason() -> None:
    found = message(alert(Reasons(run="no month was chosen\nmore")), "json")
    assert found["reason"] == "no month was chosen"
    assert (found["steps"], found["attempt"], found["attempts"]) == ([], None, None)
    assert (
        "no month was chosen" in message(alert(Reasons(run="no month was chosen")), "slack")["text"]
    )


def test_for_slack_there_are_a_fallback_and_blocks_with_links() -> None:
    found = message(alert(Reasons((STEP,), (CHECK,)), **{"dagster/partition": "2018-11"}), "slack")
    assert set(found) == {"text", "blocks"}
    fallback, title, step, check, foot = texts(found)
    assert fallback.startswith("refresh failed, 2018-11\nsongplays, 2018-11: 3 plays are &lt;lost")
    page = "http://dagster.example:3000/prefix"
    assert title == f":red_circle: *<{page}/runs/{RUN}|refresh failed, 2018-11>*"
    assert step == "*songplays, 2018-11*\n3 plays are &lt;lost&gt; &amp; gone; run again"
    assert f"<{page}/assets/tables/songplays?view=checks&checkDetail=ids+are+unique|" in check
    assert check.endswith("did not pass\n3 ids twice")
    assert foot == f"/lake · run {RUN}"
    kinds = [block["type"] for block in found["blocks"]]
    assert kinds == ["section", "section", "section", "context"]
    assert {block["text"]["type"] for block in found["blocks"][:-1]} == {"mrkdwn"}


def test_nobody_is_mentioned_by_a_line_of_a_log() -> None:
    step = FailedStep("raw_logs", (), "<!channel> <https://evil.example|click>")
    for text in texts(message(alert(Reasons((step,))), "slack")):
        assert "<!channel" not in text
        assert "<https://evil" not in text


def test_however_much_failed_slacks_limits_are_kept() -> None:
    steps = tuple(FailedStep(f"asset{n}", ("2018-11",), "&" * 5000) for n in range(90))
    checks = tuple(FailedCheck("songplays", f"check{n}", (), "<" * 5000) for n in range(90))
    found = message(alert(Reasons(steps, checks)), "slack")
    assert len(found["blocks"]) <= 50
    assert all(len(text) <= 3000 for text in texts(found)[1:])
    assert len(found["text"]) <= 40_000
    assert "and 140 more" in json.dumps(found["blocks"])
    assert "and 175 more" in found["text"]


def test_many_months_are_told_as_ranges() -> None:
    months = ("2018-11", "2018-12", "2019-02", "2019-04", "2019-05", "2019-07")
    step = FailedStep("songplays", months, "lost")
    line = message(alert(Reasons((step,))), "json")["text"].splitlines()[1]
    assert line == "songplays, 2018-11 to 2018-12, 2019-02, 2019-04 to 2019-05, …: lost"
