"""How the settings of AWS reach each library: endpoint, region, style, credentials."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from sparkify_assets.errors import StorageError
from sparkify_assets.lake.log import StoredPart
from sparkify_assets.lake.scan import WHOLE_BYTES, scan_part
from sparkify_assets.settings import load_settings
from sparkify_assets.storage.access import S3Access, s3_access
from sparkify_assets.storage.listing import BucketLister, Place
from sparkify_assets.storage.location import Location
from sparkify_assets.storage.objects import objects
from sparkify_assets.tables import RAW_LOGS
from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.s3.faults import Request
from sparkify_assets_tests.s3.fixtures import new_bucket
from sparkify_assets_tests.s3.proxy import POST, Proxy
from sparkify_assets_tests.s3.servers import keys
from sparkify_assets_tests.s3.zone import BucketZone
from sparkify_assets_tests.zone import event

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@pytest.fixture(autouse=True)
def _direct(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


# What the environment says.


def access(**environment: str) -> S3Access:
    return s3_access(environment)


def test_endpoint() -> None:
    assert access().endpoint is None
    assert access(AWS_ENDPOINT_URL="http://a:1/").endpoint == "http://a:1"
    both = {"AWS_ENDPOINT_URL": "http://a:1", "AWS_ENDPOINT_URL_S3": "https://b:2"}
    assert access(**both).endpoint == "https://b:2"
    assert access(AWS_ENDPOINT_URL="").endpoint is None


def test_region(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert access().region == "us-east-1"
    assert access(AWS_DEFAULT_REGION="eu-north-1").region == "eu-north-1"
    both = {"AWS_DEFAULT_REGION": "eu-north-1", "AWS_REGION": "eu-west-2"}
    assert access(**both).region == "eu-west-2"
    profiles = tmp_path / "config"
    profiles.write_text("[default]\nregion=sa-east-1\n[profile far]\nregion=ap-south-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(profiles))
    assert s3_access().region == "sa-east-1"
    monkeypatch.setenv("AWS_PROFILE", "far")
    assert s3_access().region == "ap-south-1"
    monkeypatch.setenv("AWS_REGION", "eu-west-2")
    assert s3_access().region == "eu-west-2"


def test_a_profile_that_does_not_exist_has_the_default_region(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert s3_access().region == "us-east-1"


@pytest.mark.parametrize(
    ("style", "endpoint", "path_style"),
    [
        ("", None, False),
        ("auto", None, False),
        ("auto", "http://a:1", True),
        ("path", None, True),
        ("path", "http://a:1", True),
        ("virtual", None, False),
        ("virtual", "http://a:1", False),
    ],
)
def test_style(style: str, endpoint: str | None, path_style: bool) -> None:
    found = s3_access({"SPARKIFY_S3_STYLE": style, "AWS_ENDPOINT_URL": endpoint or ""})
    assert found.path_style is path_style
    hosted = found.variables()["AWS_VIRTUAL_HOSTED_STYLE_REQUEST"]
    assert hosted == str(not path_style).lower()


def test_plain_http_only_where_the_endpoint_says_so() -> None:
    assert access(AWS_ENDPOINT_URL="http://a:1").plain_http
    assert "AWS_ALLOW_HTTP" in access(AWS_ENDPOINT_URL="http://a:1").variables()
    for found in (access(), access(AWS_ENDPOINT_URL="https://a:1")):
        assert not found.plain_http
        assert "AWS_ALLOW_HTTP" not in found.variables()


def test_other_keys_are_another_identity() -> None:
    one, other = access(AWS_ACCESS_KEY_ID="A"), access(AWS_ACCESS_KEY_ID="B")
    assert one != other
    assert one == access(AWS_ACCESS_KEY_ID="A")


# Who signs, as the server sees it.


def obstore_lists(bucket: str) -> None:
    objects(Location(f"s3://{bucket}")).list()


def pyarrow_opens(bucket: str) -> None:
    filesystem, root = Location(f"s3://{bucket}").arrow()
    with pytest.raises(FileNotFoundError):
        filesystem.open_input_file(f"{root}/not-there")


def boto3_lists(bucket: str) -> None:
    s3_access().client("s3").list_objects_v2(Bucket=bucket)


LIBRARIES = pytest.mark.parametrize("ask", [obstore_lists, pyarrow_opens, boto3_lists])
Ask = Callable[[str], None]


class Nobody(NamedTuple):
    """A server with a bucket, and no credentials for it in the environment."""

    proxy: Proxy
    bucket: str


@pytest.fixture
def nobody(on_moto: Proxy, monkeypatch: pytest.MonkeyPatch) -> Nobody:
    bucket = new_bucket(on_moto)
    on_moto.requests()
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    return Nobody(on_moto, bucket)


def signers(nobody: Nobody, ask: Ask) -> set[tuple[str | None, str | None]]:
    """Access key and session token of the requests that this makes."""
    ask(nobody.bucket)
    made = [r for r in nobody.proxy.requests() if r.kind != POST]  # without those to STS
    assert made
    return {(request.access_key, request.session_token) for request in made}


@LIBRARIES
def test_keys_of_the_environment(nobody: Nobody, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert signers(nobody, ask) == {("AKIAENV", None)}
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIAENV")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    assert signers(nobody, ask) == {("ASIAENV", "token")}


@LIBRARIES
def test_keys_of_a_profile(
    nobody: Nobody, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profiles = tmp_path / "credentials"
    profiles.write_text(
        "[default]\naws_access_key_id=AKIADEFAULT\naws_secret_access_key=x\n"
        "[other]\naws_access_key_id=ASIAOTHER\naws_secret_access_key=y\naws_session_token=t\n"
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(profiles))
    assert signers(nobody, ask) == {("AKIADEFAULT", None)}
    monkeypatch.setenv("AWS_PROFILE", "other")
    assert signers(nobody, ask) == {("ASIAOTHER", "t")}


@LIBRARIES
def test_a_role_by_web_identity(
    nobody: Nobody, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tmp_path / "token"
    token.write_text("of-the-cluster")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/loader")
    monkeypatch.setenv("AWS_ROLE_SESSION_NAME", ask.__name__)
    [(key, session_token)] = signers(nobody, ask)
    assert key is not None
    assert key.startswith("ASIA")
    assert session_token


def list_exactly(bucket: str) -> None:
    BucketLister(Location(f"s3://{bucket}", "SPARKIFY_LANDING")).page(Place("a//b/"))


def open_part(bucket: str) -> None:
    part = StoredPart("x.parquet", {}, WHOLE_BYTES + 1, 1)
    next(scan_part(RAW_LOGS, Location(f"s3://{bucket}"), part))


@pytest.mark.parametrize("ask", [obstore_lists, open_part, list_exactly])
@pytest.mark.parametrize("refusal", ["AccessDenied", "ExpiredTokenException", "no file"])
def test_a_role_that_is_not_given(
    nobody: Nobody,
    ask: Ask,
    refusal: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    token = tmp_path / "token"
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/loader")
    if refusal != "no file":
        token.write_text("of-the-cluster")
        nobody.proxy.fail("^POST", 403, refusal)
    with pytest.raises(StorageError) as caught:
        ask(nobody.bucket)
    assert f"on the bucket {nobody.bucket} failed: the AWS credentials" in str(caught.value)
    assert "cannot be renewed" in str(caught.value)
    assert "correct AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE" in str(caught.value)
    assert not caught.value.refused
    assert "Traceback" not in caplog.text


@LIBRARIES
def test_keys_of_dl_cfg(nobody: Nobody, ask: Ask) -> None:
    Path("dl.cfg").write_text(
        "[AWS]\nAWS_ACCESS_KEY_ID='ASIACFG'\nAWS_SECRET_ACCESS_KEY=s\nAWS_SESSION_TOKEN=t/+=\n"
    )
    load_settings()
    assert signers(nobody, ask) == {("ASIACFG", "t/+=")}


# Keys belong together: never one from here with another from there.

CFG = "[AWS]\nAWS_ACCESS_KEY_ID=CFG\nAWS_SECRET_ACCESS_KEY=cfg\nAWS_SESSION_TOKEN=cfg-token\n"
DOTENV = "AWS_ACCESS_KEY_ID=DOT\nAWS_SECRET_ACCESS_KEY=dot\n"


def keys_in_use() -> tuple[str, ...]:
    load_settings()
    return tuple(os.environ.get(name, "") for name in KEYS)


def test_keys_of_dotenv_go_before_those_of_dl_cfg() -> None:
    Path("dl.cfg").write_text(CFG)
    Path(".env").write_text(DOTENV)
    assert keys_in_use() == ("DOT", "dot", "")


@pytest.mark.parametrize("dotenv", [True, False])
def test_keys_of_the_environment_go_before_all(
    dotenv: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("dl.cfg").write_text(CFG)
    if dotenv:
        Path(".env").write_text(DOTENV + "AWS_SESSION_TOKEN=dot-token\n")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "env")
    assert keys_in_use() == ("ENV", "env", "")


def test_a_profile_of_the_environment_goes_before_keys_of_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("dl.cfg").write_text(CFG)
    Path(".env").write_text(DOTENV)
    monkeypatch.setenv("AWS_PROFILE", "mine")
    assert keys_in_use() == ("", "", "")


def test_a_profile_of_dotenv_goes_before_keys_of_dl_cfg() -> None:
    Path("dl.cfg").write_text(CFG)
    Path(".env").write_text("AWS_PROFILE=mine\n")
    assert keys_in_use() == ("", "", "")
    assert os.environ["AWS_PROFILE"] == "mine"


def test_empty_variables_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text(DOTENV)
    for name in (*KEYS, "AWS_PROFILE"):
        monkeypatch.setenv(name, "")
    assert keys_in_use() == ("DOT", "dot", "")


def test_a_secret_key_alone_takes_no_access_key_from_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path(".env").write_text(DOTENV)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "env")
    assert keys_in_use() == ("", "env", "")


@pytest.fixture(scope="session")
def _settings_loaded_before() -> None:
    """As by a fixture of another test that lives as long; what it leaves is no setting here."""
    load_settings()


@pytest.mark.usefixtures("_settings_loaded_before")
def test_region_and_endpoint_of_files_reach_the_clients() -> None:
    Path(".env").write_text("AWS_REGION=eu-west-3\nSPARKIFY_S3_STYLE=virtual\n")
    Path("dl.cfg").write_text("[AWS]\nAWS_ENDPOINT_URL=http://minio:9000\n")
    load_settings()
    found = s3_access()
    assert (found.region, found.endpoint) == ("eu-west-3", "http://minio:9000")
    assert not found.path_style


# Where the bucket stands.


@LIBRARIES
def test_path_style(on_moto: Proxy, ask: Ask) -> None:
    bucket = new_bucket(on_moto)
    for request in _asked(on_moto, ask, bucket):
        assert request.host == on_moto.endpoint.removeprefix("http://")
        assert request.path.startswith(f"/{bucket}")


@LIBRARIES
def test_virtual_host_style(on_moto: Proxy, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = new_bucket(on_moto)
    port = on_moto.endpoint.rpartition(":")[2]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://localhost:{port}")
    monkeypatch.setenv("SPARKIFY_S3_STYLE", "virtual")
    # Not every machine knows names below localhost. As an HTTP proxy it gets any host's requests;
    # pyarrow asks for no proxy, and finds these names by itself.
    monkeypatch.setenv("http_proxy", on_moto.endpoint)
    for request in _asked(on_moto, ask, bucket):
        assert request.host == f"{bucket}.localhost:{port}"
        assert bucket not in request.path


def _asked(proxy: Proxy, ask: Ask, bucket: str) -> list[Request]:
    proxy.requests()
    ask(bucket)
    made = proxy.requests()
    assert made
    return made


@pytest.mark.parametrize("prefix", ["", "/a", "/a/b c/ü"])
def test_locations_with_and_without_a_prefix(on_moto: Proxy, prefix: str) -> None:
    bucket = new_bucket(on_moto)
    location = Location(f"s3://{bucket}{prefix}")
    there = objects(location)
    there.put("x/1.json", b"1")
    there.put_new("x/2.json", b"22")
    with pytest.raises(FileExistsError):
        there.put_new("x/2.json", b"3")
    filesystem, root = location.arrow()
    with filesystem.open_output_stream(f"{root}/y/3") as stream:
        stream.write(b"333")
    start = f"{prefix.removeprefix('/')}/" if prefix else ""
    wanted = ["x/1.json", "x/2.json", "y/3"]
    assert keys(on_moto.endpoint, bucket) == [f"{start}{key}" for key in wanted]
    assert [entry.key for entry in there.list()] == wanted
    assert [entry.key for entry in there.list("x/", after="x/1.json")] == ["x/2.json"]
    assert there.get("y/3") == b"333"
    assert objects(location.join("y")).get("3") == b"333"
    there.delete(["x/1.json", "not-there"])
    assert [entry.key for entry in there.list("x/")] == ["x/2.json"]


def test_whole_buckets_as_landing_zone_and_lake(on_moto: Proxy, engine: str) -> None:
    landing, lake = (f"s3://{new_bucket(on_moto)}" for _ in range(2))
    zone = BucketZone(on_moto.endpoint, landing)
    world = World(
        zone,
        lambda **given: load_settings(
            **{"landing": landing, "lake": lake, "engine": engine, "last_month": "2018-12", **given}
        ),
    )
    zone.logs("log_data/2018-11-15-events.json", event())
    zone.song()
    world.run()
    assert len(world.rows("songplays")) == 1
    found = keys(on_moto.endpoint, lake.removeprefix("s3://"))
    assert any(key.startswith("songplays/_delta_log/") for key in found)
