"""Who we are on S3 and how to get there: the one place that builds clients.

The settings are AWS's own, from the environment (`settings` puts there what `.env` and `dl.cfg`
say): AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or AWS_PROFILE, a web
identity, a container's or an instance's role; AWS_REGION; AWS_ENDPOINT_URL for other servers than
AWS; SPARKIFY_S3_STYLE. Botocore finds the credentials, for every library alike. They are asked for
when a client is made or renewed and never kept in a value that is pickled, logged or shown.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from sparkify_assets.errors import StorageError

if TYPE_CHECKING:
    import pyarrow.fs as pafs
    from obstore.store import S3Store

DEFAULT_REGION = "us-east-1"
# Beyond these a request fails: a run that waits for ever tells nobody anything.
CONNECT_SECONDS = 5
REQUEST_SECONDS = 60
RETRY_SECONDS = 15
# A connection on which nothing comes for so long is given up; longer than RETRY_SECONDS, so that
# a server that takes requests and never answers is not tried again.
SILENT_SECONDS = 16
RETRIES = 6
# pyarrow waits up to 2^n seconds before try n + 1, and a stream that failed is closed once more.
ARROW_ATTEMPTS = 4
# Larger parts are put in pieces of this size, as pyarrow does.
PART_BYTES = 10 << 20

# Where credentials come from; a change of one of these asks for other clients.
_IDENTITY = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)


class CredentialsError(StorageError):
    """There are no credentials, or they cannot be renewed; says nothing of what they were for."""


Made = TypeVar("Made")


@dataclass(frozen=True)
class S3Access:
    """How to reach S3; holds no secret.

    Attributes:
        endpoint: the server's URL, None for AWS.
        path_style: whether the bucket stands in the path and not in the host name.
        identity: a hash of where the credentials come from.
    """

    endpoint: str | None
    region: str
    path_style: bool
    identity: str = field(repr=False)

    @property
    def plain_http(self) -> bool:
        """Whether the endpoint says `http://`; everything else is TLS."""
        return self.endpoint is not None and self.endpoint.startswith("http://")

    def object_store(self, bucket: str) -> S3Store:
        """obstore's store of a bucket."""
        return _object_store(self, bucket)

    def arrow(self) -> pafs.FileSystem:
        """pyarrow's file system, with the credentials of this moment."""
        return _arrow(self, *_frozen(self))

    def client(self, service: Literal["s3", "sqs"]) -> Any:
        """boto3's client of a service."""
        _frozen(self)  # an error of ours where they cannot be renewed
        return _client(self, service)

    def dagster_resource(self) -> Any:
        """dagster-aws's `S3Resource`. Importing it takes seconds."""
        from dagster_aws.s3 import S3Resource

        return S3Resource(
            region_name=self.region,
            endpoint_url=self.endpoint,
            use_ssl=not self.plain_http,
            max_attempts=RETRIES,
        )

    def delta_options(self) -> dict[str, str]:
        """deltalake's `storage_options`, with the credentials of this moment."""
        key, secret, token = _frozen(self)
        return {
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            **({"AWS_SESSION_TOKEN": token} if token else {}),
            **self.variables(),
        }

    def variables(self) -> dict[str, str]:
        """What Sail and others that read the environment need besides the credentials."""
        return {
            "AWS_REGION": self.region,
            "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": str(not self.path_style).lower(),
            **({"AWS_ENDPOINT_URL": self.endpoint} if self.endpoint else {}),
            **({"AWS_ALLOW_HTTP": "true"} if self.plain_http else {}),
        }


def s3_access(environment: Mapping[str, str] | None = None) -> S3Access:
    """How to reach S3, by the environment."""
    env = os.environ if environment is None else environment
    endpoint = env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL") or None
    style = env.get("SPARKIFY_S3_STYLE") or "auto"
    identity = hashlib.blake2b(digest_size=8)
    for name in _IDENTITY:
        identity.update(f"{name}={env.get(name, '')}\0".encode())
    who = identity.hexdigest()
    return S3Access(
        endpoint=endpoint.rstrip("/") if endpoint else None,
        region=env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or _profile_region(who),
        # Other servers than AWS seldom have a name for each bucket.
        path_style=style == "path" or (style == "auto" and endpoint is not None),
        identity=who,
    )


def _profile_region(identity: str) -> str:
    from botocore.exceptions import BotoCoreError

    try:
        return _session(identity).region_name or DEFAULT_REGION
    except BotoCoreError:  # a profile that is not there is told with the credentials
        return DEFAULT_REGION


def _one_at_a_time(make: Callable[..., Made]) -> Callable[..., Made]:
    """Boto3 may not make two clients at once, and a cache does not wait for the first call."""
    lock = threading.RLock()

    @wraps(make)
    def made(*arguments: Any) -> Made:
        with lock:
            return make(*arguments)

    return made


@_one_at_a_time
@lru_cache(maxsize=8)
def _session(identity: str) -> Any:  # noqa: ARG001 -- another identity is another session
    import boto3

    # It warns with a traceback of what it raises too.
    logging.getLogger("botocore.credentials").setLevel(logging.ERROR)
    return boto3.session.Session()


def _credentials(access: S3Access) -> Any:
    """Botocore's credentials, which renew themselves.

    Raises:
        CredentialsError: there are none, or the profile does not exist.
    """
    from botocore.exceptions import BotoCoreError

    try:
        found = _session(access.identity).get_credentials()
    except BotoCoreError as error:
        raise CredentialsError(
            f"the AWS credentials cannot be found: {error}. Correct AWS_PROFILE, or log in again "
            "with it"
        ) from None
    if found is None:
        raise CredentialsError(
            "there are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (in the "
            "environment, .env or dl.cfg) or AWS_PROFILE, or run where a role is attached"
        )
    return found


def _frozen(access: S3Access) -> tuple[str, str, str | None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        now = _credentials(access).get_frozen_credentials()
    except CredentialsError:
        raise
    except (BotoCoreError, ClientError, OSError) as error:
        raise not_renewed(str(error)) from None
    return now.access_key, now.secret_key, now.token


def not_renewed(reason: str) -> CredentialsError:
    """The error for credentials that a login or a role does not give any more."""
    return CredentialsError(
        f"the AWS credentials cannot be renewed: {' '.join(reason.split()).rstrip('.')}. Log in "
        "again with AWS_PROFILE, or correct AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE"
    )


@lru_cache(maxsize=32)
def _object_store(access: S3Access, bucket: str) -> S3Store:
    from obstore.auth.boto3 import Boto3CredentialProvider
    from obstore.store import S3Store

    _credentials(access)  # a clear error where there are none
    return S3Store(
        bucket,
        region=access.region,
        virtual_hosted_style_request=not access.path_style,
        credential_provider=Boto3CredentialProvider(
            _session(access.identity), ttl=timedelta(minutes=5)
        ),
        client_options={
            "allow_http": access.plain_http,
            "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
            "read_timeout": timedelta(seconds=SILENT_SECONDS),
            "timeout": timedelta(seconds=REQUEST_SECONDS),
        },
        retry_config={
            "max_retries": RETRIES,
            "retry_timeout": timedelta(seconds=RETRY_SECONDS),
            "backoff": {"max_backoff": timedelta(seconds=4)},
        },
        endpoint=_bucket_endpoint(access, bucket),
    )


def _bucket_endpoint(access: S3Access, bucket: str) -> str | None:
    """With virtual-host style, obstore wants the bucket in the endpoint's host name."""
    if access.endpoint is None or access.path_style:
        return access.endpoint
    scheme, _, host = access.endpoint.partition("://")
    return f"{scheme}://{bucket}.{host}"


@lru_cache(maxsize=4)
def _arrow(access: S3Access, key: str, secret: str, token: str | None) -> pafs.FileSystem:
    import pyarrow.fs as pafs

    endpoint = access.endpoint.partition("://")[2] if access.endpoint else None
    return pafs.S3FileSystem(
        access_key=key,
        secret_key=secret,
        session_token=token,
        region=access.region,
        scheme="http" if access.plain_http else "https",
        endpoint_override=endpoint,
        force_virtual_addressing=not access.path_style,
        connect_timeout=CONNECT_SECONDS,
        request_timeout=SILENT_SECONDS,
        retry_strategy=pafs.AwsStandardS3RetryStrategy(max_attempts=ARROW_ATTEMPTS),
        # A part that fits into one request is put with one.
        allow_delayed_open=True,
    )


@_one_at_a_time
@lru_cache(maxsize=8)
def _client(access: S3Access, service: str) -> Any:
    from botocore.config import Config

    style = "path" if access.path_style else "virtual"
    return _session(access.identity).client(
        service,
        region_name=access.region,
        endpoint_url=os.environ.get(f"AWS_ENDPOINT_URL_{service.upper()}") or access.endpoint,
        config=Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=REQUEST_SECONDS,
            retries={"mode": "standard", "max_attempts": RETRIES},
            s3={"addressing_style": style},
        ),
    )
