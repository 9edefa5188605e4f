"""What libraries log holds no secret, whoever logs and whoever listens."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from uvicorn.logging import AccessFormatter

from sparkify_assets.redaction import SHOWN, install, redacted
from sparkify_assets.storage import access
from sparkify_assets_tests.dagster_dev import free_port

SECRET = "SECRETSECRET+/key"  # noqa: S105 -- nobody's


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Everything that is logged, from DEBUG on."""
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "SPARKIFY_ALERT_URL"):
        monkeypatch.setenv(name, SECRET)
    told = io.StringIO()
    handler = logging.StreamHandler(told)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield told
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.mark.parametrize("logger", ["", "botocore.auth", "urllib3", "another.package"])
def test_a_secret_in_a_message_is_not_shown(logged: io.StringIO, logger: str) -> None:
    logging.getLogger(logger).debug("a %s and %r", SECRET, {"url": SECRET})
    assert logged.getvalue() == f"a {SHOWN} and {{'url': '{SHOWN}'}}\n"


def test_other_messages_arrive_as_they_are(logged: io.StringIO) -> None:
    logging.getLogger("x").warning("%d%% of %s", 5, "keys")
    logging.getLogger("x").warning("100% with no arguments")
    assert logged.getvalue() == "5% of keys\n100% with no arguments\n"


def test_formatters_that_take_the_arguments_apart_go_on(
    logged: io.StringIO, caplog: pytest.LogCaptureFixture
) -> None:
    """As uvicorn's does for each request: client, method, path, version and status."""
    (handler,) = [h for h in logging.getLogger().handlers if getattr(h, "stream", 0) is logged]
    handler.setFormatter(AccessFormatter('%(client_addr)s "%(request_line)s" %(status_code)s'))
    path = "/a?X-Amz-Security-Token=TEMPORARY&b=2"
    request = ("127.0.0.1:1", "GET", path, "1.1", 200)
    logging.getLogger("uvicorn.access").info('%s - "%s %s HTTP/%s" %d', *request)
    logging.getLogger("uvicorn.access").info('%s - "%s %s HTTP/%s" %d', SECRET, *request[1:])
    line = f'"GET /a?X-Amz-Security-Token={SHOWN}&b=2 HTTP/1.1" 200 OK\n'
    assert logged.getvalue() == f"127.0.0.1:1 {line}{SHOWN} {line}"
    *others, status = caplog.records[0].args or ()
    assert (others[0], status) == ("127.0.0.1:1", 200)


def test_arguments_by_name_stay_and_those_without_a_secret_are_the_same(
    caplog: pytest.LogCaptureFixture, logged: io.StringIO
) -> None:
    plain, error = object(), OSError(f"no {SECRET}")
    logging.getLogger("x").error("%(a)s %(b)r %(n)d", {"a": error, "b": plain, "n": 3})
    (record,) = caplog.records
    assert isinstance(record.args, dict)
    assert record.args["b"] is plain
    assert logged.getvalue() == f"no {SHOWN} {plain!r} 3\n"


def test_a_secret_that_the_format_tells_is_not_shown_either(logged: io.StringIO) -> None:
    logging.getLogger("x").error("%s: session_token=%s", "a", "TEMPORARY")
    assert logged.getvalue() == f"a: session_token={SHOWN}\n"


@pytest.mark.parametrize(
    "text",
    [
        "x-amz-security-token:TEMPORARY",
        "X-Amz-Security-Token: TEMPORARY",
        "{'X-Amz-Security-Token': b'TEMPORARY', 'a': 1}",
        "GET /x?a=1&X-Amz-Security-Token=TEMPORARY&b=2",
        "b'<SecretAccessKey>TEMPORARY</SecretAccessKey><SessionToken>TEMPORARY</SessionToken>'",
        '{"SecretAccessKey": "TEMPORARY", "SessionToken" : "TEMPORARY"}',
        "secret_key='TEMPORARY', session_token='TEMPORARY'",
    ],
)
def test_keys_that_no_variable_holds_are_known_by_what_stands_before_them(text: str) -> None:
    assert "TEMPORARY" not in redacted(text)
    assert redacted(text).count(SHOWN) == text.count("TEMPORARY")


def test_what_botocore_signs_is_logged_without_the_token(
    logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFTHESECRETTEST")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setattr(access, "RETRIES", 1)
    from botocore.exceptions import EndpointConnectionError

    with pytest.raises(EndpointConnectionError):
        access.s3_access().client("s3").list_objects_v2(Bucket="bucket")
    assert "CanonicalRequest" in logged.getvalue()
    assert f"x-amz-security-token:{SHOWN}" in logged.getvalue()
    assert SECRET not in logged.getvalue()


@pytest.mark.parametrize(
    ("level", "left"), [("TRACE", "INFO"), ("debug", "INFO"), ("WARN", "WARN"), (None, None)]
)
def test_arrows_client_tells_no_headers(level: str | None, left: str | None) -> None:
    environment = {} if level is None else {"ARROW_S3_LOG_LEVEL": level}
    install(environment)
    assert environment.get("ARROW_S3_LOG_LEVEL") == left


def test_a_crash_shows_no_settings(tmp_path: Path) -> None:
    """With the settings in an error, and at a fault of the interpreter itself."""
    program = (
        "import sys; from sparkify_assets.settings import load_settings\n"
        "settings = load_settings(lake='s3://lake', landing='s3://landing/in')\n"
        "assert settings.aws_secret_access_key.get_secret_value()\n"
        "if sys.argv[1] == 'raise': raise RuntimeError(settings, vars(settings))\n"
        "import ctypes; ctypes.string_at(0)\n"
    )
    keys = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": SECRET,
            "SPARKIFY_ALERT_URL": f"https://hooks.slack.com/{SECRET}",
            "RUST_BACKTRACE": "full", "PYTHONFAULTHANDLER": "1"}  # fmt: skip
    for how, told in (("raise", "RuntimeError: (Settings("), ("fault", "Segmentation fault")):
        done = subprocess.run(
            [sys.executable, "-c", program, how],
            env={**os.environ, **keys}, cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode != 0
        assert told in done.stderr
        assert SECRET not in done.stderr + done.stdout.replace(program, "")
