"""`sparkify alert-test`, as a process of its own."""

from __future__ import annotations

import pytest

from sparkify_assets_tests import processes
from sparkify_assets_tests.alerts.webhook import MARK, Webhook


def alert_test(**settings: str) -> tuple[int, str, str]:
    """Exit code, output and errors."""
    process = processes.start("alert-test", **settings)
    out, err = process.communicate(timeout=120)
    assert MARK not in out + err
    assert "Traceback" not in err
    return process.returncode, out, " ".join(err.split())


@pytest.mark.parametrize(("form", "fields"), [("json", {"steps"}), ("slack", {"blocks"})])
def test_a_message_that_is_taken_is_exit_code_0(form: str, fields: set[str]) -> None:
    with Webhook() as webhook:
        code, out, err = alert_test(
            SPARKIFY_ALERT_URL=webhook.url, SPARKIFY_ALERT_FORMAT=form, SPARKIFY_LANDING="in"
        )
    assert (code, err) == (0, "")
    assert f"127.0.0.1 took the message ({form})." in out
    (post,) = webhook.posts
    assert fields < set(post)
    assert "this is a test; nothing failed" in post["text"]


def test_a_message_that_is_refused_is_exit_code_1_with_the_reason() -> None:
    with Webhook() as webhook:
        webhook.answers = [(403, {}, "invalid_token")]
        code, _, err = alert_test(SPARKIFY_ALERT_URL=webhook.url)
    assert code == 1
    assert "SPARKIFY_ALERT_URL: 127.0.0.1 answered 403 (invalid_token)" in err


def test_without_an_address_it_is_wrong_use() -> None:
    code, _, err = alert_test()
    assert code == 2
    assert "SPARKIFY_ALERT_URL: not set; expected the address of a webhook" in err
