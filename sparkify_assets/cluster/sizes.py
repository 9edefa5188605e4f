"""How much of a cluster to ask for, and into how large pieces its work is cut: by name, not by a
setting of Spark's own, of which each kind of cluster wants another.
"""

from __future__ import annotations

from dataclasses import dataclass

# A task of ours holds rows outside of Java: mostly some 0.3 GB, and 0.9 where it writes 40 million
# rows, the most that one is given (`lake.frames`).
_PYTHON_MB_PER_CORE = 1024
_LEAST_OVERHEAD_MB = 384
_LOCAL_SHUFFLE_PARTITIONS = 8
_CLUSTER_SHUFFLE_PARTITIONS = 200


@dataclass(frozen=True)
class Sizes:
    """What may be set; None leaves it to Spark or to the cluster.

    Attributes:
        executors: how many; None on YARN and Kubernetes: as the cluster does it, mostly by need.
        executor_cores: tasks that one executor runs at once.
        executor_memory_gb: Java's memory of an executor, in GiB; Python's comes on top of it.
        driver_memory_gb: Java's memory of the driver, in GiB.
        shuffle_partitions: at least so many pieces of a shuffle (`lake.frames.make_room`).
    """

    executors: int | None = None
    executor_cores: int | None = None
    executor_memory_gb: float | None = None
    driver_memory_gb: float | None = None
    shuffle_partitions: int | None = None


def of_a_query(sizes: Sizes, *, local: bool) -> dict[str, str]:
    """Settings that any session takes, also one of Spark Connect."""
    pieces = _LOCAL_SHUFFLE_PARTITIONS if local else _CLUSTER_SHUFFLE_PARTITIONS
    return {"spark.sql.shuffle.partitions": str(sizes.shuffle_partitions or pieces)}


def of_an_application(sizes: Sizes, engine: str) -> dict[str, str]:
    """Settings that only the start of a classic session takes.

    Args:
        engine: the master.
    """
    settings = {}
    if sizes.driver_memory_gb is not None:
        settings["spark.driver.memory"] = _mebibytes(sizes.driver_memory_gb)
    if engine.startswith("local"):
        return settings
    if sizes.executor_memory_gb is not None:
        settings["spark.executor.memory"] = _mebibytes(sizes.executor_memory_gb)
    if sizes.executor_cores is not None:
        settings["spark.executor.cores"] = str(sizes.executor_cores)
    if engine.startswith(("yarn", "k8s")):  # they end an executor that takes more than it asked for
        settings["spark.executor.memoryOverhead"] = f"{_overhead(sizes)}m"
    if sizes.executors is not None:
        settings["spark.executor.instances"] = str(sizes.executors)
        # Standalone counts cores, and without a bound takes all there are.
        settings["spark.cores.max"] = str(sizes.executors * (sizes.executor_cores or 1))
        settings.setdefault("spark.executor.cores", "1")
    return settings


def _overhead(sizes: Sizes) -> int:
    cores, memory = sizes.executor_cores or 1, sizes.executor_memory_gb or 1
    return int(_LEAST_OVERHEAD_MB + 0.1 * 1024 * memory + _PYTHON_MB_PER_CORE * cores)


def _mebibytes(gibibytes: float) -> str:
    return f"{int(gibibytes * 1024)}m"
