"""No command shows a secret of its environment, whatever it is asked and however loud it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from sparkify_assets_tests import processes
from sparkify_assets_tests.dagster_dev import free_port
from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.zone import event

MARK = "SECRETSECRET"
SECRETS = {
    "AWS_ACCESS_KEY_ID": "AKIAOFTHESECRETTEST",
    "AWS_SECRET_ACCESS_KEY": f"{MARK}/key",
    "AWS_SESSION_TOKEN": f"{MARK}/token",
    "DAGSTER_PG_PASSWORD": f"{MARK}/password",
    "RUST_LOG": "trace",
    "RUST_BACKTRACE": "full",
    "PYTHONFAULTHANDLER": "1",
    "PYTHONDEVMODE": "1",
}


@pytest.mark.parametrize(
    ("code", "told", "command"),
    [
        (0, "songplays", ["run", "--rebuild"]),
        (0, '"version"', ["status", "--format", "json"]),
        (2, "refused", ["query", "from duckdb_settings()"]),
        (2, "refused", ["query", "from duckdb_secrets()"]),
        (2, "refused", ["query", "select getenv('AWS_SECRET_ACCESS_KEY')"]),
        (2, "no table or view", ["query", "from '/proc/self/environ'"]),
        (0, "", ["maintain", "--format", "json"]),
        (0, "CREATE", ["ddl", "duckdb"]),
        (1, "cannot be reached", ["alert-test"]),
        (2, "SPARKIFY_LANDING", ["status", "--landing", "s3:/"]),
    ],
)
def test_a_command_shows_no_secret(
    world: World, tmp_path: Path, code: int, told: str, command: list[str]
) -> None:
    world.zone.logs("log_data/2018-11-05-events.json", event())
    world.zone.song()
    world.run()
    settings = world.settings()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    process = processes.start(
        *command,
        SPARKIFY_LANDING=settings.landing,
        SPARKIFY_LAKE=settings.lake,
        SPARKIFY_FIRST_MONTH="2018-10",
        SPARKIFY_LAST_MONTH="2019-03",
        SPARKIFY_ALERT_URL=f"http://127.0.0.1:{free_port()}/{MARK}",
        TMPDIR=str(temporary),
        **SECRETS,
    )
    out, err = process.communicate(timeout=300)
    assert process.returncode == code, out + err
    assert told in out + err
    assert MARK not in out + err
    kept = [path for folder in (temporary, Path(settings.lake), Path.cwd())
            for path in folder.rglob("*") if path.is_file()]  # fmt: skip
    assert kept
    assert not [path for path in kept if MARK.encode() in path.read_bytes()]
