"""Whatever the project starts, only this machine can reach it."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sparkify_assets_tests import processes
from sparkify_assets_tests.dagster_dev import PROJECT, DagsterDev, until
from sparkify_assets_tests.listening import elsewhere, listening, listening_until
from sparkify_assets_tests.zone import Zone, event


def test_a_socket_for_everybody_would_be_found() -> None:
    program = (
        "import socket, time\n"
        "for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):\n"
        "    s = socket.socket(type=kind); s.bind(('0.0.0.0', 0))\n"
        "    getattr(s, 'listen', int)() if kind == socket.SOCK_STREAM else None\n"
        "    globals()[f's{kind}'] = s\n"
        "print('up', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        found = listening(process.pid)
        process.kill()
    assert [address for address, _, _ in elsewhere(found)] == ["0.0.0.0"] * 2  # noqa: S104


@pytest.mark.engines
def test_a_run_listens_on_this_machine_only(zone: Zone, engine: str, tmp_path: Path) -> None:
    zone.logs("log_data/2018-11-15-events.json", event())
    zone.song()
    process = processes.start(
        "run", "--engine", engine,
        SPARKIFY_LANDING=str(zone.root),
        SPARKIFY_LAKE=str(tmp_path / "lake"),
        SPARKIFY_LAST_MONTH="2018-12",
    )  # fmt: skip
    found = listening_until(process.pid, lambda: process.poll() is not None)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, out + err
    # Sail's server is in the process itself; Java has those of py4j and the block manager.
    program = "java" if engine.startswith("local") else "python"
    assert any(name.startswith(program) for _, _, name in found), found
    assert elsewhere(found) == []
    assert 4040 not in {port for _, port, _ in found}, "Spark's UI is off"


def test_dagster_dev_listens_on_this_machine_only(zone: Zone, tmp_path: Path) -> None:
    with DagsterDev(SPARKIFY_LANDING=str(zone.root), SPARKIFY_LAKE=str(tmp_path / "lake")) as dev:
        assert dev.repository()
        until(lambda: dev.port in {port for _, port, _ in listening(dev.group)})
        found = listening(dev.group)
        with socket.create_connection(("127.0.0.1", dev.port), timeout=5):
            pass
    assert elsewhere(found) == []


def test_make_dev_and_the_units_name_the_address() -> None:
    """`dagster dev` above is started as `make dev` does it, the units by `make test-deploy`."""
    assert "dagster dev --host 127.0.0.1\n" in (PROJECT / "Makefile").read_text()
    units = PROJECT / "deploy/systemd"
    webserver = (units / "sparkify-webserver@.service").read_text()
    assert "dagster-webserver --host 127.0.0.1 " in webserver
    assert "--host ${DAGSTER_CODE_HOST} " in (units / "sparkify-code@.service").read_text()
    assert "DAGSTER_CODE_HOST=127.0.0.1\n" in (PROJECT / "deploy/stage.env.example").read_text()
