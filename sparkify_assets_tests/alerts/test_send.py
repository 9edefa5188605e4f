"""How a message is sent, and that its address is told to nobody."""

from __future__ import annotations

import pickle
import time
import traceback
from pathlib import Path

import pytest
from pydantic import SecretStr

from sparkify_assets.alerts.send import AlertError, send
from sparkify_assets.errors import SettingsError
from sparkify_assets.settings import load_settings
from sparkify_assets_tests.alerts.webhook import MARK, PATH, Webhook

MESSAGE = {"text": "Señora failed"}


def refused(url: SecretStr) -> tuple[str, list[float]]:
    """What is said of a message that is not delivered, and the pauses between the tries."""
    pauses: list[float] = []
    with pytest.raises(AlertError) as caught:
        send(url, MESSAGE, sleep=pauses.append)
    assert MARK not in "".join(traceback.format_exception(caught.value))
    assert "/services" not in str(caught.value)
    return str(caught.value), pauses


def test_a_message_arrives_as_json(webhook: Webhook) -> None:
    send(webhook.secret, MESSAGE)
    assert (webhook.posts, webhook.paths) == ([MESSAGE], [PATH])


def test_a_busy_server_is_asked_three_times_with_growing_pauses(webhook: Webhook) -> None:
    webhook.answers = [(503, {}, ""), (500, {}, "")]
    pauses: list[float] = []
    send(webhook.secret, MESSAGE, sleep=pauses.append)
    assert len(webhook.posts) == 3
    assert pauses == [0.5, 1.0]
    webhook.answers = [(503, {}, "")] * 3
    told, _ = refused(webhook.secret)
    assert told.startswith("SPARKIFY_ALERT_URL: 127.0.0.1 answered 503 after 3 tries; the message")
    assert len(webhook.posts) == 6


def test_a_server_that_names_a_time_is_given_it(webhook: Webhook) -> None:
    webhook.answers = [(429, {"Retry-After": "3"}, "rate_limited")]
    pauses: list[float] = []
    send(webhook.secret, MESSAGE, sleep=pauses.append)
    assert pauses == [3.0]


def test_nobody_waits_longer_than_a_tick_has(webhook: Webhook) -> None:
    webhook.answers = [(429, {"Retry-After": "3600"}, "rate_limited")]
    told, pauses = refused(webhook.secret)
    assert "answered 429 (rate_limited); the message was not delivered" in told
    assert pauses == []


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((404, {}, "no_service"), "answered 404 (no_service)"),
        ((403, {}, f"<p>no {PATH} here</p>"), "answered 403;"),
        ((302, {"Location": "http://127.0.0.1:1/elsewhere"}, ""), "answered 302"),
        ((308, {"Location": "http://127.0.0.1:1/elsewhere"}, ""), "answered 308"),
    ],
)
def test_a_refusal_is_final(
    webhook: Webhook, answer: tuple[int, dict[str, str], str], told: str
) -> None:
    webhook.answers = [answer]
    said, pauses = refused(webhook.secret)
    assert told in said
    assert pauses == []
    assert len(webhook.posts) == 1


def test_a_server_that_is_down_is_named_by_its_host_alone(webhook: Webhook) -> None:
    url = webhook.secret
    webhook.stop()
    told, pauses = refused(url)
    assert "127.0.0.1 cannot be reached (Connection refused) after 3 tries" in told
    assert pauses == [0.5, 1.0]


def test_a_server_that_says_nothing_holds_a_tick_up_for_seconds_only() -> None:
    import socket

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        begun = time.monotonic()
        told, _ = refused(SecretStr(f"http://127.0.0.1:{silent.getsockname()[1]}{PATH}"))
    assert "timed out" in told
    assert time.monotonic() - begun < 14


# The setting.


@pytest.mark.parametrize(
    "value",
    [
        f"hooks.slack.com/{MARK}",
        f"ftp://hooks.slack.com/{MARK}",
        f"https://user:{MARK}@hooks.slack.com/x",
        f"https://hooks.slack.com:99999/{MARK}",
        f"https://hooks.slack.com/{MARK} x",
        f"https://hooks.slack.com/{MARK}ü",
    ],
)
@pytest.mark.parametrize("where", ["environment", ".env", "dl.cfg"])
def test_a_wrong_address_is_refused_without_being_shown(
    value: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if where == "environment":
        monkeypatch.setenv("SPARKIFY_ALERT_URL", value)
    elif where == ".env":
        Path(".env").write_text(f"SPARKIFY_ALERT_URL='{value}'\n")
    else:
        Path("dl.cfg").write_text(f"[SPARKIFY]\nALERT_URL={value}\n")
    with pytest.raises(SettingsError, match="SPARKIFY_ALERT_URL: expected a URL") as caught:
        load_settings()
    assert MARK not in "".join(traceback.format_exception(caught.value))


def test_the_address_is_not_in_what_is_passed_around() -> None:
    settings = load_settings(alert_url=f"https://hooks.slack.com{PATH}")
    assert settings.alert_url is not None
    assert MARK in settings.alert_url.get_secret_value()
    for form in (repr(settings), str(settings), settings.model_dump_json()):
        assert MARK not in form
    assert MARK.encode() not in pickle.dumps(settings)
    assert pickle.loads(pickle.dumps(settings)).alert_url is None  # noqa: S301 -- our own


def test_the_form_follows_the_host_unless_it_is_set() -> None:
    slack = "https://hooks.slack.com/services/x"
    assert load_settings(alert_url=slack).alert_form == "slack"
    assert load_settings(alert_url="https://example.org/x").alert_form == "json"
    assert load_settings(alert_url=slack, alert_format="json").alert_form == "json"
    with pytest.raises(SettingsError, match="SPARKIFY_ALERT_FORMAT: found 'teams'"):
        load_settings(alert_format="teams")
    with pytest.raises(SettingsError, match="SPARKIFY_UI_URL: found 'dagster:3000', expected"):
        load_settings(ui_url="dagster:3000")
