"""The Dagster instance that `sparkify run` and a plain `dagster dev` share."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, chdir, contextmanager, suppress
from pathlib import Path

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter
from dagster._core.instance.ref import InstanceRef  # what DagsterInstance.from_config is made of
from dagster._core.storage.tags import GRPC_INFO_TAG

from sparkify_assets.errors import SettingsError
from sparkify_assets.refresh.history import instance_of

# A run from the command line shows its own progress; captured output would swallow it.
_NO_CAPTURE = {
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    }
}


def instance_folder() -> Path | None:
    """The folder with the instance's dagster.yaml.

    DAGSTER_HOME if set, else the working folder or the project's own, whichever has both
    dagster.yaml and workspace.yaml; None where there is none (installed without the project).
    """
    home = os.environ.get("DAGSTER_HOME")
    if home:
        path = Path(home).expanduser()
        if not path.is_dir():
            raise SettingsError(f"DAGSTER_HOME: found {home!r}, expected a folder that exists")
        return path.absolute()
    for folder in (Path.cwd(), Path(__file__).parents[2]):
        if (folder / "dagster.yaml").is_file() and (folder / "workspace.yaml").is_file():
            return folder
    return None


# On each run of the command line: the machine and process that does it.
PROCESS_TAG = "sparkify/process"


def this_process() -> str:
    """The value of `PROCESS_TAG` for this process."""
    return f"{socket.gethostname()}:{os.getpid()}"


def close_dead_runs(instance: DagsterInstance, *, own: bool = False) -> None:
    """End the runs of the command line whose process is gone: Dagster would wait for them.

    Args:
        own: end those of this process, which is about to stop.
    """
    unfinished = RunsFilter(
        statuses=[DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING, DagsterRunStatus.STARTED]
    )
    for run in instance.get_runs(unfinished):
        if own and run.tags.get(PROCESS_TAG) == this_process():
            instance.report_run_canceled(run, "interrupted; the next run completes it")
        elif process_is_gone(run.tags):
            instance.report_run_failed(run, "its process ended; the next run completes it")


def from_command_line(tags: Mapping[str, str]) -> bool:
    """Whether a run is one of the command line.

    A re-execution in the UI bears the tags of the run that it repeats; a code server does it.
    """
    return PROCESS_TAG in tags and GRPC_INFO_TAG not in tags


def process_is_gone(tags: Mapping[str, str]) -> bool:
    """Whether a run of the command line was one of this machine, and its process is gone."""
    if not from_command_line(tags):
        return False
    host, _, pid = tags[PROCESS_TAG].rpartition(":")
    return host == socket.gethostname() and not _alive(int(pid))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def open_instance() -> Iterator[DagsterInstance]:
    """The instance, from its folder: paths in dagster.yaml are relative to that.

    Where there is no such folder, one that is forgotten afterwards.
    """
    folder = instance_folder()
    if folder is None:
        with DagsterInstance.ephemeral() as instance:
            yield instance
        return
    with chdir(folder), _opened(folder) as instance:
        yield instance


def _opened(folder: Path) -> DagsterInstance:
    # Two that make the files of a new instance at once leave them broken for good.
    with _alone_in(folder):
        return instance_of(InstanceRef.from_dir(str(folder), overrides=_NO_CAPTURE))


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other process is in here with the same folder; it ends with its process."""
    with ExitStack() as stack:
        with suppress(OSError):  # a file system without locks, or a folder that cannot be read
            opened = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, opened)
            fcntl.flock(opened, fcntl.LOCK_EX)
        yield
