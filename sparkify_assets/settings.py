"""Where things are and how they run: read once from flags, environment, `.env` and `dl.cfg`.

The first of these that names a setting wins, in that order. Everything is checked here, so
that no other module has to wonder whether a setting makes sense; an error names the setting,
what was found and what is expected. Nothing here touches the landing zone or the lake.

What `.env` and `dl.cfg` say about AWS is put into the environment, where every library looks for
it (see `storage.access`).
"""

from __future__ import annotations

import configparser
import difflib
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from sparkify_assets.errors import SettingsError
from sparkify_assets.partitions import current_month, is_month, months_between

EMBEDDED = "embedded"
# The sample that comes with the project: where `make demo` puts it, and the month that it is of.
DEMO = "data/demo"
DEMO_MONTH = "2018-11"
_MASTER = re.compile(
    r"local(\[(\*|[1-9]\d*)(,\s*\d+)?\])?|yarn|spark://[\w.-]+:\d+(,[\w.-]+:\d+)*|k8s://\S+"
)
_S3_FORM = (
    "a folder or s3://bucket/prefix (a bucket has 3 to 63 lower-case letters, digits, dots and "
    "hyphens)"
)
_PAIR = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_ADDRESS = re.compile(r"[0-9.]+|.*:.*")
_HERE = {"localhost", "127.0.0.1", "::1"}
_OTHERS = {"SPARKIFY_REAL_DATA"}  # for the tests
_KEYS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
_WHO = (*_KEYS, "aws_profile")
# Never shown, and not sent to other processes.
_TOKEN = "spark_connect_authenticate_token"  # noqa: S105 -- the name of the setting
_SECRETS = (*_KEYS, "alert_url", _TOKEN)
_AWS = {*_WHO, "aws_region", "aws_default_region", "aws_endpoint_url"}
# Under names that others look for.
_EXPORTED = {*_AWS, _TOKEN}
_SECTIONS = ("AWS", "SPARKIFY")
# What may follow a Spark Connect address; all else is sent as a header, as tokens are.
_PARAMETERS = {"use_ssl", "user_id", "user_agent", "session_id", "x-databricks-cluster-id"}
_VISIBLE = re.compile(r"[!-~]+")
_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^?#\s]*)?")


class DlCfg(PydanticBaseSettingsSource):
    """`dl.cfg` in the working folder: `[AWS]` for AWS's settings, `[SPARKIFY]` for the rest."""

    def __init__(self, settings_cls: type[BaseSettings], path: Path) -> None:
        super().__init__(settings_cls)
        self._values: dict[str, Any] = {}
        if not path.is_file():
            return
        parser = configparser.ConfigParser(interpolation=None)
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError) as error:
            # The parser's own message would repeat the line, which may hold a key.
            raise SettingsError(
                f"{path}: not a readable configuration file ({type(error).__name__}); expected "
                "sections [AWS] and [SPARKIFY] with NAME=value lines, as in dl.cfg.example"
            ) from None
        for section in parser.sections():
            near = difflib.get_close_matches(section, _SECTIONS, 1, 0.5)
            if near and section not in _SECTIONS:
                raise SettingsError(f"{path}: a section [{section}]; did you mean [{near[0]}]?")
        known = settings_cls.model_fields
        for section, allowed in (("AWS", _AWS), ("SPARKIFY", set(known) - _AWS)):
            if not parser.has_section(section):
                continue
            for name, value in parser.items(section):
                field = name.removeprefix("sparkify_")
                if section == "SPARKIFY":
                    _check_names([variable_name(field)])
                elif field not in _AWS:
                    raise SettingsError(
                        f"{path}: {name.upper()} in [AWS] is no setting; expected one of "
                        f"{', '.join(sorted(map(variable_name, _AWS)))}"
                    )
                if field in allowed and value.strip():
                    name = variable_name(field) if field in _EXPORTED else field
                    plain = value.strip().strip("'\"")
                    self._values[name] = _json(name, plain) if plain.startswith("{") else plain

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        return self._values.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        # Keys belong together: never one from here with another, or a profile, from elsewhere.
        names = [variable_name(name) for name in _WHO]
        elsewhere = any(self.current_state.get(name) for name in names)
        return {k: v for k, v in self._values.items() if not (elsewhere and k in names)}


class Settings(BaseSettings):
    """The project's settings. Each is `SPARKIFY_<NAME>` in the environment and in `.env`."""

    model_config = SettingsConfigDict(
        env_prefix="SPARKIFY_", env_file=".env", env_file_encoding="utf-8", extra="ignore",
        env_ignore_empty=True, frozen=True, hide_input_in_errors=True,
    )  # fmt: skip

    landing: str = Field(
        default=f"{DEMO}/landing",
        description="The landing zone, with log_data/ and song_data/: a folder or "
        "s3://bucket/prefix. Default: the demo's.",
    )
    lake: str = Field(
        default=f"{DEMO}/lake",
        description="The lake, with one sub-folder per table: a folder or s3://bucket/prefix. "
        "Default: the demo's.",
    )
    engine: str = Field(
        default=EMBEDDED,
        description="embedded (no Java), or a Spark master: local[*], spark://…, yarn, k8s://…, "
        "or a Spark Connect address: sc://…",
    )
    first_month: str = Field(default=DEMO_MONTH, description="The first month, YYYY-MM.")
    last_month: str | None = Field(
        default=None,
        description="The last month, YYYY-MM. Default: the current one; the demo's where the "
        "landing zone is the demo's.",
    )
    on_delete: Literal["keep", "remove"] = Field(
        default="keep",
        description="What becomes of the rows of a file that is gone from the landing zone.",
    )
    confirm_remove: bool = Field(
        default=False,
        description="With on_delete=remove: go on although more than a tenth of the files of a "
        "month (or of the songs) is gone.",
    )
    grace_hours: int = Field(
        default=1, ge=0, le=168, description="Hours that replaced files stay for readers under way."
    )
    spark_conf: dict[str, str] = Field(
        default_factory=dict,
        description='More settings for the Spark session, as JSON: {"spark.driver.memory": "4g"}',
    )
    memory_gb: float | None = Field(
        default=None,
        gt=0,
        description="Memory of the embedded engine before it spills to disk, in GiB. "
        "Default: half of the machine's.",
    )
    executors: int | None = Field(
        default=None,
        ge=1,
        description="Executors on a cluster. Default: what the cluster gives; on a standalone one "
        "all its free cores.",
    )
    executor_cores: int | None = Field(
        default=None, ge=1, description="Tasks that an executor runs at once. Default: Spark's."
    )
    executor_memory_gb: float | None = Field(
        default=None,
        ge=0.5,
        description="Java's memory of an executor, in GiB; that of its Python comes on top. "
        "Default: Spark's, 1.",
    )
    driver_memory_gb: float | None = Field(
        default=None,
        ge=0.5,
        description="Java's memory of the driver of Apache Spark, in GiB. Default: Spark's, 1.",
    )
    shuffle_partitions: int | None = Field(
        default=None,
        ge=1,
        description="Apache Spark: at least so many pieces of a shuffle, before it puts small "
        "ones together. "
        "Default: 8 with local[…], else 200.",
    )
    worker_env: str = Field(
        default="auto",
        description="Packages for the workers of a cluster. auto: those of this environment travel "
        "with the session; installed: the workers have them; or an archive of `sparkify pack`.",
    )
    s3_style: Literal["auto", "path", "virtual"] = Field(
        default="auto",
        description="Whether a bucket stands in the path or in the host name of a URL. auto: path "
        "where AWS_ENDPOINT_URL is set, virtual on AWS.",
    )
    sqs_url: str | None = Field(
        default=None,
        description="A queue with the landing bucket's event notifications; the sensor then looks "
        "at once at what they name.",
    )
    sensor_seconds: int = Field(
        default=10,
        ge=1,
        description="Seconds between two looks of the sensor; Dagster itself asks every five.",
    )
    rejected_share: float = Field(
        default=0.01, ge=0, le=1, description="Share of rejected lines above which a check warns."
    )
    match_drop: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="A check warns where the share of plays that match a song falls by more than "
        "this share of what is usual.",
    )
    fresh_hours: float | None = Field(
        default=None,
        gt=0,
        description="Hours without a new materialization after which the assets that change with "
        "every file count as overdue; for a zone in which files keep landing.",
    )
    backfill_months: int = Field(
        default=12,
        ge=0,
        description="Months of a backfill in one run, which has one session; 0: all in one.",
    )
    preview_rows: int = Field(
        default=10,
        ge=0,
        le=10,
        description="Rows shown in the metadata of what was made; 0 shows none.",
    )
    owners: str = Field(
        default="team:data-platform",
        description="Owners of the assets, separated by commas: team:name or an e-mail address.",
    )
    query_memory_gb: float = Field(
        default=2, gt=0, description="Memory of one SQL query before it spills to disk, in GiB."
    )
    query_seconds: float = Field(
        default=300, gt=0, description="Seconds after which a SQL query is stopped."
    )
    alert_url: SecretStr | None = Field(
        default=None,
        description="A webhook that is told of each run that failed; a secret.",
    )
    alert_format: Literal["slack", "json"] | None = Field(
        default=None,
        description="What is posted there. Default: slack for hooks.slack.com, json for others.",
    )
    ui_url: str = Field(
        default="http://127.0.0.1:3000",
        description="Where people open Dagster's UI, for the links in alerts.",
    )
    spark_connect_authenticate_token: SecretStr | None = Field(
        default=None,
        validation_alias="SPARK_CONNECT_AUTHENTICATE_TOKEN",
        description="What a Spark Connect server asks for; a secret.",
    )
    aws_access_key_id: SecretStr | None = Field(default=None, validation_alias="AWS_ACCESS_KEY_ID")
    aws_secret_access_key: SecretStr | None = Field(
        default=None, validation_alias="AWS_SECRET_ACCESS_KEY"
    )
    aws_session_token: SecretStr | None = Field(default=None, validation_alias="AWS_SESSION_TOKEN")
    aws_profile: str | None = Field(
        default=None, validation_alias="AWS_PROFILE", description="A profile of AWS's own files."
    )
    aws_region: str | None = Field(
        default=None, validation_alias="AWS_REGION", description="Default: us-east-1."
    )
    aws_default_region: str | None = Field(default=None, validation_alias="AWS_DEFAULT_REGION")
    aws_endpoint_url: str | None = Field(
        default=None,
        validation_alias="AWS_ENDPOINT_URL",
        description="For other servers than AWS: http(s)://host:port.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- not a source of ours
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (
            init_settings,
            env_settings,
            dotenv_settings,
            DlCfg(settings_cls, Path("dl.cfg")),
        )

    @field_validator("landing", "lake")
    @classmethod
    def _folder(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("a folder or s3://bucket/prefix")
        if "%" in value or "\\" in value:
            raise ValueError("a folder or prefix without % and \\ in its name")
        scheme = urlsplit(value).scheme
        if scheme == "file":
            value = urlsplit(value).path
        elif "://" in value:
            plain = re.sub(r"^s3[an]://", "s3://", value.strip()).rstrip("/")
            if _BUCKET.fullmatch(plain) and "//" not in plain.removeprefix("s3://"):
                return plain
            raise ValueError(_S3_FORM)
        elif value.startswith("s3:"):
            raise ValueError(_S3_FORM)
        return str(Path(value).expanduser().absolute())

    @field_validator("alert_url")
    @classmethod
    def _webhook(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            text = value.get_secret_value()
            _check_url(text, "https://host/path")
            if not _VISIBLE.fullmatch(text):
                raise ValueError("a URL of visible ASCII characters: https://host/path")
        return value

    @field_validator("aws_endpoint_url", "sqs_url", "ui_url")
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        if value is not None:
            _check_url(value, "http(s)://host:port")
        return value

    @field_validator("aws_endpoint_url")
    @classmethod
    def _without_path(cls, value: str | None) -> str | None:
        if value is not None and urlsplit(value).path.strip("/"):
            raise ValueError("a URL without a path; bucket and prefix stand in s3://bucket/prefix")
        return value

    @field_validator("aws_region", "aws_default_region")
    @classmethod
    def _region(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[a-z0-9-]{2,}", value):
            raise ValueError("a region such as eu-central-1")
        return value

    @field_validator("engine")
    @classmethod
    def _engine(cls, value: str) -> str:
        connect = urlsplit(value)
        if secret := _may_be_secret(value):  # pydantic's own error would show it
            raise SettingsError(
                f"SPARKIFY_ENGINE: has {secret} in it, which may be a secret, and Dagster would "
                "store and show it; expected spark://host:7077, or sc://host:15002, after which "
                f"only {', '.join(sorted(_PARAMETERS))} may follow (a token of Spark Connect goes "
                "into SPARK_CONNECT_AUTHENTICATE_TOKEN)"
            )
        if value == EMBEDDED or _MASTER.fullmatch(value):
            return value
        if connect.scheme == "sc" and connect.hostname:
            return value
        raise ValueError(
            "embedded, a Spark master (local[*], spark://host:7077, yarn, k8s://…) or a Spark "
            "Connect address (sc://host:15002)"
        )

    @field_validator("worker_env")
    @classmethod
    def _archive(cls, value: str) -> str:
        if value in ("auto", "installed"):
            return value
        if not value.endswith((".tar.gz", ".tgz")):
            raise ValueError("auto, installed or an archive on this machine (.tar.gz, .tgz)")
        if not Path(value).expanduser().is_file():
            raise ValueError("a file that is there; `sparkify pack` makes it")
        return str(Path(value).expanduser().absolute())

    @field_validator("owners")
    @classmethod
    def _owners(cls, value: str) -> str:
        for name in filter(None, map(str.strip, value.split(","))):
            if not re.fullmatch(r"team:[\w .-]+|[^@\s]+@[^@\s]+\.[^@\s]+", name):
                raise ValueError("team:name or an e-mail address, several separated by commas")
        return value

    @field_validator("first_month", "last_month")
    @classmethod
    def _month(cls, value: str | None) -> str | None:
        if value is not None and not is_month(value):
            raise ValueError("a month as YYYY-MM, for example 2018-11")
        return value

    @field_validator("last_month")
    @classmethod
    def _end_of_the_demo(cls, value: str | None, others: ValidationInfo) -> str | None:
        """The demo is of one month; all the empty ones since then would hide it in the UI."""
        demo = str(Path(DEMO, "landing").absolute())
        begins_later = others.data.get("first_month", DEMO_MONTH) > DEMO_MONTH
        if value is None and others.data.get("landing") == demo and not begins_later:
            return DEMO_MONTH
        return value

    @model_validator(mode="after")
    def _agree(self) -> Settings:
        if self.first_month > self.end_month:
            raise SettingsError(
                f"SPARKIFY_FIRST_MONTH: found {self.first_month}, expected a month not after the "
                f"last one ({self.end_month})"
            )
        self._check_s3()
        folders = [uri for uri in (self.lake, self.landing) if not uri.startswith("s3://")]
        if self.engine_is_remote and folders:
            raise SettingsError(
                f"SPARKIFY_ENGINE: found {self.engine!r}, whose machines cannot see the folder "
                f"{folders[0]}; expected embedded or local[*] for folders, or s3:// for both "
                "SPARKIFY_LANDING and SPARKIFY_LAKE"
            )
        if self.sqs_url and not self.landing.startswith("s3://"):
            raise SettingsError(
                f"SPARKIFY_SQS_URL: set, but SPARKIFY_LANDING is the folder {self.landing}; "
                "expected s3://bucket/prefix there, or no queue"
            )
        landing, lake = PurePosixPath(self.landing), PurePosixPath(self.lake)
        if landing == lake or landing in lake.parents or lake in landing.parents:
            raise SettingsError(
                f"SPARKIFY_LAKE: found {self.lake}, which overlaps with the landing zone "
                f"{self.landing}; expected two separate places"
            )
        return self

    def _check_s3(self) -> None:
        if not self.on_s3:
            return
        pair = {name: getattr(self, name.lower()) for name in _PAIR}
        missing = [name for name, value in pair.items() if value is None]
        if len(missing) == 1:
            there = next(name for name in _PAIR if name not in missing)
            raise SettingsError(f"{missing[0]}: missing, but {there} is set; expected both")
        host = urlsplit(self.aws_endpoint_url or "").hostname or ""
        if self.s3_style == "virtual" and _ADDRESS.fullmatch(host):
            raise SettingsError(
                f"SPARKIFY_S3_STYLE: found virtual, but AWS_ENDPOINT_URL is the address {host}, "
                "which has no names for buckets; expected path or auto"
            )

    def __getstate__(self) -> dict[Any, Any]:
        """Without secrets: whatever process this is sent to has its own."""
        state = super().__getstate__()
        return {**state, "__dict__": {**state["__dict__"], **dict.fromkeys(_SECRETS)}}

    @property
    def engine_is_remote(self) -> bool:
        """Whether the engine's work runs on other machines than this one."""
        return not (
            self.engine == EMBEDDED or self.engine.startswith("local") or is_here(self.engine)
        )

    @property
    def alert_form(self) -> Literal["slack", "json"]:
        """What is posted to the webhook."""
        if self.alert_format is not None or self.alert_url is None:
            return self.alert_format or "json"
        host = urlsplit(self.alert_url.get_secret_value()).hostname
        return "slack" if host == "hooks.slack.com" else "json"

    @property
    def on_s3(self) -> bool:
        """Whether the landing zone or the lake is in a bucket."""
        return "s3://" in (self.landing[:5], self.lake[:5])

    @property
    def end_month(self) -> str:
        """The last month of all, the current one where none is set."""
        return self.last_month or current_month()

    @property
    def owner_list(self) -> list[str]:
        """The owners of the assets."""
        return [name.strip() for name in self.owners.split(",") if name.strip()]

    @property
    def months(self) -> list[str]:
        """Every month from the first to the last."""
        return months_between(self.first_month, self.end_month)


def load_settings(**given: Any) -> Settings:
    """The settings, where `given` (those that are not None) goes before every other source.

    Raises:
        SettingsError: names each wrong setting, what was found there and what is expected.
    """
    given = {name: value for name, value in given.items() if value is not None}
    _check_names({**dotenv_values(".env"), **os.environ})
    try:
        settings = Settings(**given)
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(e) for e in error.errors())) from None
    except ValueError as error:  # a value that could not even be parsed
        field = re.search(r'field "(\w+)"', str(error))
        name = variable_name(field.group(1)) if field else "the settings"
        raise SettingsError(f"{name}: cannot be parsed, expected JSON as in .env.example") from None
    _export(settings)
    return settings


def _export(settings: Settings) -> None:
    """Put into the environment what came from `.env` or `dl.cfg` and others look for there."""
    for name in map(variable_name, _AWS):
        if not os.environ.get(name, "-"):
            del os.environ[name]  # none; botocore would look for a profile without a name
    known = any(variable_name(field) in os.environ for field in _WHO)
    for field in sorted(_EXPORTED):
        value = getattr(settings, field)
        if value is None or (known and field in _WHO):
            continue
        if field == _TOKEN and not settings.engine.startswith("sc://"):
            continue  # nobody else needs it
        text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        os.environ.setdefault(variable_name(field), text)
    os.environ["SPARKIFY_S3_STYLE"] = settings.s3_style


def _check_names(found: Iterable[str]) -> None:
    """A misspelt setting would be ignored, and the default taken without a word."""
    known = {variable_name(field) for field in Settings.model_fields} | _OTHERS
    for name in found:
        if name.startswith("SPARKIFY_") and name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"expected one of {sorted(known)}"
            raise SettingsError(f"{name}: there is no such setting; {hint}")


def is_here(engine: str) -> bool:
    """Whether an engine with an address has one of this machine."""
    return urlsplit(engine).hostname in _HERE


def variable_name(field: str) -> str:
    """The environment variable of a setting: `SPARKIFY_LAKE` for `lake`."""
    return field.upper() if field.lower() in _EXPORTED else f"SPARKIFY_{field.upper()}"


def _may_be_secret(engine: str) -> str:
    """What in an engine's address is sent to its server and may be for its eyes only."""
    if "@" in engine:
        return "a user's name"
    if "token=" in engine.lower():  # wherever it stands
        return "a token"
    names = [part.partition("=")[0].lower() for part in engine.split(";")[1:]]
    return next((name for name in names if name and name not in _PARAMETERS), "")


def _check_url(text: str, form: str) -> None:
    """Raise ValueError where it is no address of a server; the message does not repeat it."""
    try:
        found = urlsplit(text)
        good = found.scheme in {"http", "https"} and found.hostname and found.port != 0
    except ValueError:  # the port is no number, or too large
        good = False
    if not good or found.username:
        raise ValueError(f"a URL without a user: {form}")


def _json(field: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise SettingsError(
            f"{variable_name(field)}: cannot be parsed, expected JSON as in .env.example"
        ) from None


def _explain(error: Any) -> str:
    field = str(error["loc"][0]) if error["loc"] else "settings"
    expected = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    found = "" if field.lower() in _SECRETS else f"found {error['input']!r}, "
    return f"{variable_name(field)}: {found}expected {expected}"
