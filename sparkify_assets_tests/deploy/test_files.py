"""The files in deploy/ fit together: what one refers to, another one gives."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml
from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef
from dotenv import dotenv_values

from sparkify_assets.settings import Settings, load_settings
from sparkify_assets_tests import processes
from sparkify_assets_tests.dagster_dev import free_port
from sparkify_assets_tests.deploy.deployment import CODE, DAEMON, WEBSERVER
from sparkify_assets_tests.deploy.units import DEPLOY, unit
from sparkify_assets_tests.zone import Zone, event

STAGE = dotenv_values(DEPLOY / "stage.env.example")


@pytest.mark.parametrize("name", ["dagster.yaml", "workspace.yaml"])
def test_every_variable_of_the_instance_is_in_the_example_of_a_stage(name: str) -> None:
    lines = (DEPLOY / name).read_text().splitlines()
    used = re.findall(r"{env: (\w+)}", "\n".join(line for line in lines if line[:1] != "#"))
    assert used
    assert set(used) <= set(STAGE)


@pytest.mark.parametrize("name", [CODE, DAEMON, WEBSERVER])
def test_every_variable_of_a_unit_is_in_the_example_of_a_stage(name: str) -> None:
    service = unit(name)["Service"]
    assert set(re.findall(r"\$\{(\w+)\}", " ".join(service.values()))) <= set(STAGE)
    assert service["EnvironmentFile"] == "/etc/sparkify/%i.env"
    assert service["Restart"] == "always"


def test_to_stop_the_code_server_ends_no_run_that_is_under_way() -> None:
    assert unit(CODE)["Service"]["KillMode"] == "mixed"


def test_nothing_listens_beyond_this_machine() -> None:
    assert "--host 127.0.0.1" in unit(WEBSERVER)["Service"]["ExecStart"]
    assert STAGE["DAGSTER_CODE_HOST"] == "127.0.0.1"


@pytest.mark.parametrize("name", [CODE, DAEMON, WEBSERVER])
def test_a_process_has_a_user_of_its_own_and_leaves_no_memory_behind(name: str) -> None:
    service = unit(name)["Service"]
    assert service["User"] == "sparkify"
    assert (service["LimitCORE"], service["NoNewPrivileges"]) == ("0", "true")


def test_the_example_of_a_stage_has_settings_that_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in STAGE.items():
        monkeypatch.setenv(name, value or "")
    found: Settings = load_settings()
    assert found.lake == "s3://acme-lake-prod/sparkify"
    assert found.first_month == "2018-11"


def test_the_bucket_for_compute_logs_works_as_it_stands_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (DEPLOY / "dagster.yaml").read_text()
    block = text[text.index("# compute_logs:") :].split("\n\n")[0]
    config = yaml.safe_load("\n".join(line.removeprefix("# ") for line in block.splitlines()))
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(config))
    monkeypatch.setenv("DAGSTER_LOGS_BUCKET", "acme-logs")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    with DagsterInstance.from_ref(InstanceRef.from_dir(str(tmp_path))) as instance:
        assert type(instance.compute_log_manager).__name__ == "S3ComputeLogManager"


def test_a_database_that_does_not_answer_is_told_without_its_password(
    zone: Zone, tmp_path: Path
) -> None:
    zone.logs("log_data/2018-11-15-events.json", event())
    zone.song()
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    home.mkdir()
    temporary.mkdir()
    (home / "dagster.yaml").symlink_to(DEPLOY / "dagster.yaml")
    password = "SECRETSECRET@:/?#%"  # noqa: S105 -- nobody's
    process = processes.start(
        "run",
        SPARKIFY_LANDING=str(zone.root),
        SPARKIFY_LAKE=str(tmp_path / "lake"),
        SPARKIFY_LAST_MONTH="2018-12",
        DAGSTER_HOME=str(home),
        DAGSTER_PG_HOST="127.0.0.1",
        DAGSTER_PG_PORT=str(free_port()),
        DAGSTER_PG_DB="dagster",
        DAGSTER_PG_USER="dagster",
        DAGSTER_PG_PASSWORD=password,
        TMPDIR=str(temporary),
    )
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "DB connection" in err
    for mark in (password, quote(password, safe=""), "SECRETSECRET"):
        assert mark not in out + err
        assert not [path for folder in (home, temporary) for path in folder.rglob("*")
                    if path.is_file() and mark in path.read_text(errors="replace")]  # fmt: skip
