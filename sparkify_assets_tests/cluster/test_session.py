"""What a session on a cluster asks for and takes along, by the settings."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from pyspark.sql import SparkSession

from sparkify_assets.cluster import probe, shipping
from sparkify_assets.cluster.environment import FOLDER, PYTHON
from sparkify_assets.cluster.probe import check_workers
from sparkify_assets.cluster.shipping import shipped, worker_python
from sparkify_assets.cluster.sizes import Sizes, of_a_query, of_an_application
from sparkify_assets.composition import build_defs
from sparkify_assets.errors import EngineError, SettingsError
from sparkify_assets.resources.connect import check_reachable
from sparkify_assets.resources.spark import SparkResource
from sparkify_assets.settings import load_settings
from sparkify_assets_tests.cluster.machines import free_port

TOKEN = "dapi0123456789abcdef"  # noqa: S105 -- an example
MASTER = "spark://master.example.org:7077"
S3 = {"landing": "s3://landing/in", "lake": "s3://lake/all"}


@pytest.fixture
def packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An archive in place of the one that takes long to make."""
    monkeypatch.delenv("PYSPARK_PYTHON", raising=False)
    archive = tmp_path / "environment-1.tar.gz"
    archive.write_bytes(b"")
    monkeypatch.setattr(shipping, "cached_environment", lambda: archive)
    return str(archive)


def test_code_and_packages_travel_and_no_secret_does(
    packed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://s3.example.org:9000")
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIA0123", "AWS_SECRET_ACCESS_KEY": TOKEN, "AWS_SESSION_TOKEN": TOKEN,
        "AWS_REGION": "eu-north-1", "AWS_ENDPOINT_URL": "http://others.example.org",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    settings = shipped("auto")
    assert settings["spark.archives"] == f"{packed}#{FOLDER}"
    assert settings["spark.submit.pyFiles"].endswith(".zip")
    assert settings["spark.executorEnv.AWS_REGION"] == "eu-north-1"
    assert settings["spark.executorEnv.AWS_ENDPOINT_URL"] == "http://s3.example.org:9000"
    assert not [text for text in settings.items() if TOKEN in str(text) or "AKIA" in str(text)]


def test_a_second_session_of_a_process_takes_the_packages_along_again(packed: str) -> None:
    for _ in range(2):
        assert "spark.archives" in shipped("auto")
        with worker_python("auto"):
            assert os.environ["PYSPARK_PYTHON"] == PYTHON
        assert "PYSPARK_PYTHON" not in os.environ


def test_whoever_names_a_python_of_the_workers_sends_the_code_alone(
    packed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYSPARK_PYTHON", "/opt/python/bin/python3")
    assert shipped("auto").keys() >= {"spark.submit.pyFiles"}
    assert "spark.archives" not in shipped("auto")
    assert "spark.archives" not in shipped("installed")
    assert shipped("/srv/e.tar.gz")["spark.archives"] == f"/srv/e.tar.gz#{FOLDER}"


def test_sizes_are_said_to_each_kind_of_cluster_in_its_own_words() -> None:
    sizes = Sizes(executors=4, executor_cores=3, executor_memory_gb=8, driver_memory_gb=2.5)
    asked = {
        "spark.driver.memory": "2560m",
        "spark.executor.memory": "8192m",
        "spark.executor.cores": "3",
        "spark.executor.instances": "4",
        "spark.cores.max": "12",
    }
    assert of_an_application(sizes, MASTER) == asked
    # 384 MiB as Spark itself, a tenth of Java's, a GiB of Python for each task
    overhead = {"spark.executor.memoryOverhead": f"{int(384 + 819.2 + 3 * 1024)}m"}
    assert of_an_application(sizes, "yarn") == asked | overhead
    assert of_an_application(sizes, "local[*]") == {"spark.driver.memory": "2560m"}
    assert of_an_application(Sizes(), MASTER) == {}
    assert of_an_application(Sizes(), "k8s://https://c").keys() == overhead.keys()
    one = of_an_application(Sizes(executors=2), MASTER)
    assert (one["spark.executor.cores"], one["spark.cores.max"]) == ("1", "2")


def test_pieces_of_a_shuffle() -> None:
    assert of_a_query(Sizes(), local=True)["spark.sql.shuffle.partitions"] == "8"
    asked = of_a_query(Sizes(shuffle_partitions=999), local=False)
    assert asked["spark.sql.shuffle.partitions"] == "999"


def test_every_size_is_a_setting_and_a_field_of_the_resource(tmp_path: Path) -> None:
    given: dict[str, Any] = {
        "executors": 3,
        "executor_cores": 2,
        "executor_memory_gb": 4.0,
        "driver_memory_gb": 2.0,
        "shuffle_partitions": 64,
        "worker_env": "installed",
    }
    resources = build_defs(load_settings(engine=MASTER, **S3, **given)).resources
    assert resources is not None
    spark = resources["spark"]
    assert isinstance(spark, SparkResource)
    assert {name: getattr(spark, name) for name in given} == given
    assert spark.elsewhere
    assert not SparkResource(engine="local[2]").elsewhere


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"executors": 0}, "SPARKIFY_EXECUTORS: found 0"),
        ({"executor_memory_gb": 0.1}, "SPARKIFY_EXECUTOR_MEMORY_GB: found 0.1"),
        ({"worker_env": "packages"}, "SPARKIFY_WORKER_ENV: found 'packages', expected auto"),
        ({"worker_env": "/nowhere/e.tar.gz"}, "`sparkify pack` makes it"),
        ({"worker_env": "s3a://acme/e.tar.gz"}, "`sparkify pack` makes it"),
        ({"worker_env": "environment.zip"}, "expected auto, installed or an archive on this"),
    ],
)
def test_a_wrong_size_is_told(given: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings(**given)
    assert told in str(error.value)


def test_a_token_in_the_engines_address_is_refused_and_not_shown() -> None:
    with pytest.raises(SettingsError, match="SPARK_CONNECT_AUTHENTICATE_TOKEN") as error:
        load_settings(engine=f"sc://dbc.example.org:443/;token={TOKEN};x-id=1", **S3)
    assert TOKEN not in str(error.value)


@pytest.mark.parametrize(
    "engine",
    [
        f"sc://emr.example.org:443/;use_ssl=true;x-aws-proxy-auth={TOKEN}",
        f"spark://me:{TOKEN}@master.example.org:7077",
        f"sc://me:{TOKEN}@example.org:15002",
        f"sc://example.org:15002/?token={TOKEN}",
    ],
)
def test_what_else_may_be_a_secret_in_it_is_refused_too(engine: str) -> None:
    with pytest.raises(SettingsError, match="which may be a secret") as error:
        load_settings(engine=engine, **S3)
    assert TOKEN not in str(error.value)


def test_parameters_that_are_none_may_follow_the_address() -> None:
    address = "sc://dbc.example.org:443/;use_ssl=true;x-databricks-cluster-id=0123-456"
    assert load_settings(engine=address, **S3).engine == address


def test_a_token_is_found_in_dl_cfg_and_given_to_connect_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SPARK_CONNECT_AUTHENTICATE_TOKEN", raising=False)
    Path("dl.cfg").write_text(f"[SPARKIFY]\nSPARK_CONNECT_AUTHENTICATE_TOKEN={TOKEN}\n")
    assert TOKEN not in str(load_settings(engine=MASTER, **S3))
    assert "SPARK_CONNECT_AUTHENTICATE_TOKEN" not in os.environ
    with monkeypatch.context() as connect:
        connect.setenv("SPARK_CONNECT_AUTHENTICATE_TOKEN", "")
        connect.delenv("SPARK_CONNECT_AUTHENTICATE_TOKEN")
        load_settings(engine="sc://example.org:15002", **S3)
        assert os.environ["SPARK_CONNECT_AUTHENTICATE_TOKEN"] == TOKEN
        del os.environ["SPARK_CONNECT_AUTHENTICATE_TOKEN"]


def test_a_token_for_another_server_is_none_for_the_embedded_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SPARK_CONNECT_AUTHENTICATE_TOKEN", TOKEN)
    resource = SparkResource()
    try:
        assert resource.session.range(3).count() == 3
    finally:
        resource.stop()


def test_a_server_with_an_older_spark_is_refused_by_its_version() -> None:
    old = Mock(spec=SparkSession, version="4.0.1")
    with pytest.raises(EngineError, match=r"its Spark is 4\.0\.1, and the project needs 4\.1"):
        SparkResource(engine="sc://example.org:15002")._configure(old)


@pytest.mark.parametrize("engine", ["spark://", "spark://host", "spark://host:7077,other"])
def test_a_master_without_its_port_is_told(engine: str) -> None:
    with pytest.raises(SettingsError, match=r"SPARKIFY_ENGINE: found .* spark://host:7077"):
        load_settings(engine=engine, **S3)


def test_a_master_that_is_not_there_is_told_at_once() -> None:
    engine = f"spark://127.0.0.1:{free_port()}"
    with pytest.raises(EngineError, match=r"nothing answers at 127.*Start the cluster's master"):
        _ = SparkResource(engine=engine).session


def test_one_of_several_masters_is_enough() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        there = server.getsockname()[1]
        check_reachable(f"spark://127.0.0.1:{free_port()},127.0.0.1:{there}")


def test_workers_that_fit_are_taken(spark: SparkSession) -> None:
    check_workers(spark, "sc://somewhere")


def test_workers_with_another_version_of_the_project_are_refused(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "look_around", _of_another_code)
    with pytest.raises(EngineError, match=r"sc://somewhere.*another version.*code 0123"):
        check_workers(spark, "sc://somewhere")


def test_workers_that_lack_a_package_are_refused(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "look_around", _without_duckdb)
    monkeypatch.setenv("PYSPARK_PYTHON", "/usr/bin/python3")
    told = r"3\.9\.9.*cannot import duckdb.*sparkify pack.*PYSPARK_PYTHON=/usr/bin/python3 is set"
    with pytest.raises(EngineError, match=told):
        check_workers(spark, "sc://somewhere")


def test_workers_that_cannot_run_a_task_are_told_by_its_reason(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "look_around", _broken)
    with pytest.raises(EngineError, match=r"ModuleNotFoundError: No module named 'sparkify'"):
        check_workers(spark, "sc://somewhere")


def _of_another_code(batches: Any) -> Any:
    yield from _report('{"code": "0123", "python": "3.11.2", "lacking": []}', batches)


def _without_duckdb(batches: Any) -> Any:
    yield from _report('{"code": "0", "python": "3.9.9", "lacking": ["duckdb (none)"]}', batches)


def _broken(batches: Any) -> Any:
    for _ in batches:
        raise ModuleNotFoundError("No module named 'sparkify'")
    yield None


def _report(text: str, batches: Any) -> Any:
    import pyarrow as pa

    for _ in batches:
        yield pa.RecordBatch.from_pydict({"report": [text]})
