"""A PostgreSQL server of its own, from what the system has installed."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from sparkify_assets_tests.dagster_dev import free_port, until
from sparkify_assets_tests.stopping import Stopping

_USER = "dagster_test"


class Postgres(Stopping):
    """A server on 127.0.0.1 with a password for this time only; it vanishes when it is stopped."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self.port = free_port()
        # What a password may hold and a URL may not.
        self._password = f"{secrets.token_hex(8)}@:/?#%"
        # Not below pytest's folder: that is closed to the user whom PostgreSQL runs as.
        self._folder = Path(tempfile.mkdtemp(prefix="sparkify-postgres-"))
        word = self._folder / "password"
        word.write_text(self._password)
        for path in (word, self._folder):
            shutil.chown(path, **self._owner())
        self._run(
            "initdb", "--pgdata", self._data, "--username", _USER, "--pwfile", str(word),
            "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync",
        )  # fmt: skip
        self._log = (self._folder / "log").open("wb")
        self._process = subprocess.Popen(
            [
                str(programs / "postgres"), "-D", self._data, "-p", str(self.port),
                "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self._folder}",
                "-c", "fsync=off",
            ],
            stdout=self._log, stderr=self._log, cwd=self._folder, **self._as(),
        )  # fmt: skip
        until(self._answers, 60, 0.1)

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def database(self, name: str) -> dict[str, str]:
        """Make a database; the variables of deploy/dagster.yaml for it."""
        self._psql("createdb", name)
        return {
            "DAGSTER_PG_HOST": "127.0.0.1",
            "DAGSTER_PG_PORT": str(self.port),
            "DAGSTER_PG_DB": name,
            "DAGSTER_PG_USER": _USER,
            "DAGSTER_PG_PASSWORD": self._password,
        }

    def copy(self, source: str, target: str) -> dict[str, str]:
        """Dump a database and restore it as another one."""
        dump = str(self._folder / f"{source}.dump")
        variables = self.database(target)
        self._psql("pg_dump", "--format=custom", f"--file={dump}", source)
        self._psql("pg_restore", "--no-owner", f"--dbname={target}", dump)
        return variables

    def stop(self) -> None:
        self._process.terminate()
        try:
            # SIGTERM waits for all connections to be closed, SIGINT closes them.
            self._process.send_signal(2)
            self._process.wait(30)
        finally:
            self._process.kill()
            self._log.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        assert self._process.poll() is None, (self._folder / "log").read_text()
        try:
            psycopg2.connect(
                host="127.0.0.1", port=self.port, user=_USER, password=self._password,
                dbname="postgres",
            ).close()  # fmt: skip
        except psycopg2.OperationalError:
            return False
        return True

    def _psql(self, program: str, *arguments: str) -> None:
        place = ["--host=127.0.0.1", f"--port={self.port}", f"--username={_USER}"]
        self._run(program, *place, *arguments, PGPASSWORD=self._password)

    def _run(self, program: str, *arguments: str, **environment: str) -> None:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            env={**os.environ, **environment}, cwd=self._folder, capture_output=True, text=True,
            **self._as(),
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    @staticmethod
    def _as() -> dict[str, Any]:
        """PostgreSQL refuses to run as root."""
        if os.geteuid() != 0:
            return {}
        owner = Postgres._owner()
        return {**owner, "extra_groups": []}

    @staticmethod
    def _owner() -> dict[str, int]:
        if os.geteuid() != 0:
            return {"user": os.geteuid(), "group": os.getegid()}
        try:
            found = pwd.getpwnam("postgres")
        except KeyError:
            found = pwd.getpwnam("nobody")
        return {"user": found.pw_uid, "group": found.pw_gid}


def installed_postgres() -> Path:
    """The folder with `initdb` and `postgres`; where there is none, a skip, but never in CI."""
    folders = [Path(path) for path in os.get_exec_path()]
    if found := shutil.which("pg_config"):
        told = subprocess.run([found, "--bindir"], capture_output=True, text=True, check=False)
        folders.append(Path(told.stdout.strip()))
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    folders += sorted(versions, key=lambda path: float(path.parent.name), reverse=True)
    for folder in folders:
        if all((folder / name).is_file() for name in ("initdb", "postgres", "pg_dump")):
            return folder
    reason = "PostgreSQL is not installed (no initdb); apt-get install postgresql"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
