"""What Spark's own event logs say: applications, their tasks, and what these moved."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


def logged_to(folder: Path) -> dict[str, str]:
    """Settings by which a session keeps its log in this folder, as plain text."""
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": folder.as_uri(),
        "spark.eventLog.compress": "false",
        "spark.eventLog.rolling.enabled": "false",
        "spark.eventLog.logStageExecutorMetrics": "true",
    }


@dataclass
class Application:
    """One application, by its log.

    Attributes:
        tasks: that ended well.
        failed: that did not, by the reason.
        speculative: that were started beside one that seemed slow.
        seconds: of all tasks together.
        shuffled: bytes that tasks wrote for other tasks.
        spilled: bytes that did not fit into memory.
        results: bytes that tasks sent to the driver.
        removed: executors that went away before the end.
        driver_heap: bytes at most.
    """

    tasks: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    speculative: int = 0
    seconds: float = 0.0
    shuffled: int = 0
    spilled: int = 0
    results: int = 0
    removed: int = 0
    driver_heap: int = 0

    def take(self, event: Mapping[str, Any]) -> None:
        """Count one event."""
        match event["Event"]:
            case "SparkListenerTaskStart":
                self.speculative += bool(event["Task Info"]["Speculative"])
            case "SparkListenerTaskEnd":
                self._task(event)
            case "SparkListenerExecutorRemoved":
                self.removed += 1
            case "SparkListenerStageExecutorMetrics" if event["Executor ID"] == "driver":
                heap = int(event["Executor Metrics"]["JVMHeapMemory"])
                self.driver_heap = max(self.driver_heap, heap)

    def _task(self, event: Mapping[str, Any]) -> None:
        info, metrics = event["Task Info"], event.get("Task Metrics") or {}
        self.seconds += (info["Finish Time"] - info["Launch Time"]) / 1000
        reason = event["Task End Reason"]["Reason"]
        if reason != "Success":
            self.failed[reason] = self.failed.get(reason, 0) + 1
            return
        self.tasks += 1
        self.shuffled += metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"]
        self.spilled += metrics["Disk Bytes Spilled"]
        self.results += metrics["Result Size"]

    def add(self, other: Application) -> None:
        """Take in another one."""
        self.tasks += other.tasks
        for reason, number in other.failed.items():
            self.failed[reason] = self.failed.get(reason, 0) + number
        self.speculative += other.speculative
        self.seconds += other.seconds
        self.shuffled += other.shuffled
        self.spilled += other.spilled
        self.results += other.results
        self.removed += other.removed
        self.driver_heap = max(self.driver_heap, other.driver_heap)


def applications(folder: Path) -> Application:
    """All applications that left a log here, together."""
    found = Application()
    for path in sorted(folder.iterdir()):
        one = Application()
        for event in _events(path):
            one.take(event)
        found.add(one)
    return found


def _events(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
