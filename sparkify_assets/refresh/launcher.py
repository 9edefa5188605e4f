"""The run launcher of a deployment: Dagster's own, which can also tell whether a run is alive.

With Dagster's own, run monitoring notices a run whose process died with its code server, as when
the machine did, only by `max_runtime_seconds`. Until then it holds a place in the queue.
"""

from dagster import DagsterRun
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._grpc.types import GetCurrentRunsResult
from dagster._serdes import deserialize_value

from sparkify_assets.refresh.instance import process_is_gone


class WatchedRunLauncher(DefaultRunLauncher):
    """Starts runs on the code server, `dagster api grpc`, and asks it which are under way.

    A code server ends with all its runs (the systemd unit sees to that), so a run that the one at
    the same address does not know is dead.
    """

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether the run's process is alive; where nobody can tell, it is taken to be."""
        if process_is_gone(run.tags):
            return _dead("its process ended")
        known = self._under_way(run) if GRPC_INFO_TAG in run.tags else None
        if known is None or run.run_id in known:
            return _ALIVE
        return _dead("the code server that had started it ended")

    def _under_way(self, run: DagsterRun) -> list[str] | None:
        client = self._get_grpc_client_for_termination(run.run_id)  # type: ignore[no-untyped-call]
        if client is None:  # it has ended meanwhile
            return None
        try:
            found = deserialize_value(client.get_current_runs(), GetCurrentRunsResult)
        except DagsterUserCodeUnreachableError:
            return None
        return None if found.serializable_error_info else list(found.current_runs)


_ALIVE = CheckRunHealthResult(WorkerStatus.RUNNING)


def _dead(why: str) -> CheckRunHealthResult:
    return CheckRunHealthResult(
        WorkerStatus.NOT_FOUND, f"{why}; the sensor, a new run or Re-execute completes its work"
    )
