"""Settings: where they come from, and what a wrong one says."""

from __future__ import annotations

from pathlib import Path

import pytest
from dagster import AssetKey

from sparkify_assets.composition import build_defs
from sparkify_assets.errors import SettingsError
from sparkify_assets.partitions import current_month
from sparkify_assets.settings import DEMO_MONTH, load_settings

SECRET = "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY"  # noqa: S105 -- an example


def test_without_any_setting_the_demo_is_meant() -> None:
    settings = load_settings()
    assert settings.landing.endswith("data/demo/landing")
    assert settings.engine == "embedded"
    assert settings.months == [DEMO_MONTH] == ["2018-11"]


def test_flags_go_before_environment_before_dotenv_before_dl_cfg(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("dl.cfg").write_text("[SPARKIFY]\nLAKE=/cfg\nLANDING=/cfg-in\nENGINE=local[1]\n")
    Path(".env").write_text("SPARKIFY_LAKE=/dotenv\nSPARKIFY_LANDING=/dotenv-in\n")
    monkeypatch.setenv("SPARKIFY_LAKE", "/env")
    settings = load_settings()
    assert (settings.lake, settings.landing, settings.engine) == ("/env", "/dotenv-in", "local[1]")
    assert load_settings(lake="/flag").lake == "/flag"


@pytest.mark.parametrize(
    ("given", "last"),
    [
        ({"landing": "data/demo/landing"}, DEMO_MONTH),
        ({"landing": "data/demo/landing", "last_month": "2019-02"}, "2019-02"),
        ({"landing": "data/demo/landing", "first_month": "2018-12"}, None),
        ({"landing": "data/own"}, None),
        ({"landing": "s3://bucket/data/demo/landing"}, None),
    ],
)
def test_the_months_end_with_the_demo_only_where_its_landing_zone_is_meant(
    given: dict[str, str], last: str | None
) -> None:
    settings = load_settings(**given)
    assert settings.last_month == last
    assert settings.months[-1] == settings.end_month == (last or current_month())


def test_the_demos_months_are_those_of_the_ui_too() -> None:
    defs = build_defs(load_settings())
    months = defs.resolve_asset_graph().get(AssetKey("songplays")).partitions_def
    assert months is not None
    assert list(months.get_partition_keys()) == [DEMO_MONTH]
    assert defs.resources is not None
    assert defs.resources["landing"].months() == [DEMO_MONTH]


def test_aws_keys_come_from_dl_cfg_and_are_never_shown() -> None:
    Path("dl.cfg").write_text(
        f"[AWS]\nAWS_ACCESS_KEY_ID='AKIAEXAMPLE'\nAWS_SECRET_ACCESS_KEY={SECRET}\n"
    )
    settings = load_settings()
    assert settings.aws_secret_access_key is not None
    assert settings.aws_secret_access_key.get_secret_value() == SECRET
    assert settings.aws_access_key_id is not None
    assert settings.aws_access_key_id.get_secret_value() == "AKIAEXAMPLE"
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings.model_dump())


def test_a_broken_dl_cfg_is_named_without_its_content() -> None:
    Path("dl.cfg").write_text(f"AWS_SECRET_ACCESS_KEY={SECRET}\n")
    with pytest.raises(SettingsError, match=r"dl\.cfg: not a readable") as caught:
        load_settings()
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"engine": "sparc"}, r"SPARKIFY_ENGINE: found 'sparc', expected embedded, a Spark master"),
        ({"engine": "local[two]"}, r"SPARKIFY_ENGINE: found 'local\[two\]'"),
        ({"first_month": "2018-13"}, r"SPARKIFY_FIRST_MONTH: found '2018-13', expected a month"),
        ({"last_month": "november"}, r"SPARKIFY_LAST_MONTH: found 'november'"),
        (
            {"first_month": "2019-02", "last_month": "2019-01"},
            r"SPARKIFY_FIRST_MONTH: found 2019-02",
        ),
        ({"on_delete": "drop"}, r"SPARKIFY_ON_DELETE: found 'drop', expected .*'keep' or 'remove'"),
        ({"grace_hours": "soon"}, r"SPARKIFY_GRACE_HOURS: found 'soon'"),
        (
            {"lake": "s3://Bucket_1/lake"},
            r"SPARKIFY_LAKE: found 's3://Bucket_1/lake', expected a folder or s3://bucket/prefix",
        ),
        (
            {"lake": "/data/a%20b"},
            r"SPARKIFY_LAKE: found '/data/a%20b', expected a folder or prefix without %",
        ),
        ({"engine": "local[0]"}, r"SPARKIFY_ENGINE: found 'local\[0\]'"),
        ({"engine": "yarn"}, r"SPARKIFY_ENGINE: found 'yarn', whose machines cannot see"),
        ({"engine": "sc://far.example:15002"}, r"cannot see the folder"),
        ({"engine": "spark://far.example:7077"}, r"cannot see the folder"),
        ({"lake": "/data", "landing": "/data/in"}, r"SPARKIFY_LAKE: found /data, which overlaps"),
    ],
)
def test_a_wrong_setting_names_itself_what_was_found_and_what_fits(
    given: dict[str, str], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        load_settings(**given)


@pytest.mark.parametrize("engine", ["local[*]", "local[2]", "local", "sc://127.0.0.1:15002"])
def test_engines_on_this_machine_fit_a_lake_in_a_folder(engine: str) -> None:
    assert load_settings(engine=engine).engine == engine


def test_several_wrong_settings_are_all_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARKIFY_ENGINE", "x")
    monkeypatch.setenv("SPARKIFY_FIRST_MONTH", "y")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "SPARKIFY_ENGINE" in str(caught.value)
    assert "SPARKIFY_FIRST_MONTH" in str(caught.value)


def test_broken_json_in_a_setting_is_a_settings_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARKIFY_SPARK_CONF", "{not json")
    with pytest.raises(SettingsError, match="SPARKIFY_SPARK_CONF: cannot be parsed, expected JSON"):
        load_settings()


def test_a_misspelt_setting_is_not_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("SPARKIFY_LANDNG=/x\n")
    with pytest.raises(SettingsError, match=r"SPARKIFY_LANDNG: .* did you mean SPARKIFY_LANDING"):
        load_settings()
    Path(".env").write_text("")
    Path("dl.cfg").write_text("[SPARKIFY]\nENGIN=embedded\n")
    with pytest.raises(SettingsError, match="SPARKIFY_ENGIN: there is no such setting"):
        load_settings()
    Path("dl.cfg").unlink()
    monkeypatch.setenv("SPARKIFY_LAKES", "/x")
    with pytest.raises(SettingsError, match="did you mean SPARKIFY_LAKE"):
        load_settings()


def test_an_empty_folder_is_no_folder() -> None:
    with pytest.raises(SettingsError, match="SPARKIFY_LANDING: found '', expected a folder"):
        load_settings(landing="")


def test_a_setting_that_is_json_may_stand_in_dl_cfg_and_an_empty_one_is_none() -> None:
    Path("dl.cfg").write_text('[SPARKIFY]\nSPARK_CONF={"a": "b"}\nLAST_MONTH=\nLANDING=/in\n')
    settings = load_settings()
    assert settings.spark_conf == {"a": "b"}
    assert settings.last_month is None
