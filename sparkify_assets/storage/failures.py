"""What a failed request to S3 means: which bucket, which operation, which setting, the way out.

The libraries tell it each in their own way; S3's error code is in all of them.
"""

from __future__ import annotations

import errno
import re

from sparkify_assets.errors import StorageError, StorageUnavailable
from sparkify_assets.storage.access import CredentialsError, not_renewed, s3_access
from sparkify_assets.storage.location import Location

# What the C++ SDK has no name for is UNKNOWN to pyarrow, with S3's own name further behind.
_CODE = re.compile(
    r"<Code>(\w+)</Code>|AWS Error (?!UNKNOWN)(\w+)|parse ExceptionName: (\w+)"
    r"|An error occurred \((\w+)\)"
)
_MESSAGE = re.compile(r"<Message>([^<]{1,300})</Message>|ExceptionName: \w+ Message: ([^(]{1,300})")
_STATUS = re.compile(r"status code: (\d{3})|HTTP status (\d{3})")
# Botocore's error when it asks for a role's credentials, in obstore's words and in its own.
_RENEWAL = re.compile(
    r"External AWS credential provider: (.{1,300})|(An error occurred .{1,200}AssumeRole.{1,200})"
)
_DETAIL = re.compile(r"Detail: \[errno \d+\] (.+)")
_REGION = re.compile(r"expecting '([a-z0-9-]+)'|<Region>([a-z0-9-]+)</Region>")


def explained(error: BaseException, operation: str, location: Location) -> StorageError:
    """The same as an error for people, once. It never holds more than the reply's message.

    Args:
        operation: S3's name of what was tried.
        location: where; its setting is the one to look at.
    """
    tried = f"{location.setting}: {operation} on the bucket {location.bucket} failed"
    if isinstance(error, CredentialsError):
        return StorageError(f"{tried}: {error}")
    if isinstance(error, StorageError):
        return error
    text = str(error)
    renewal = _group(_RENEWAL, text)
    if renewal:  # its code is not that of this request
        return explained(not_renewed(renewal), operation, location)
    code = _code(text)
    reason, way_out = _meaning(code, text, operation, location.setting)
    reason = reason.rstrip(".")
    said = _group(_MESSAGE, text).strip().rstrip(".")
    detail = f" ({said})" if said and said not in reason else ""
    passing = code in _BUSY or (not code and _unreachable(text))
    kind = StorageUnavailable if passing else StorageError
    failure = kind(f"{tried}: {reason}{detail}. {way_out}")
    failure.refused = operation == "GetObject" and code in _REFUSED
    return failure


def explained_on_disk(error: OSError, location: Location) -> StorageError:
    """An error of a folder's disk for people: what cannot be done where, and the way out."""
    reason = error.strerror or str(error)
    if found := _DETAIL.search(reason):  # Arrow tells the system's reason last
        reason = found.group(1)
    where = error.filename or location.uri
    way_out = _ON_DISK.get(
        error.errno or 0, "Nothing that was committed is lost; mend this and run again"
    )
    return StorageError(
        f"{location.setting}: {where} cannot be read or written: {reason}. {way_out}"
    )


def explained_queue(error: BaseException, operation: str, url: str) -> StorageError:
    """The same for a request to a queue."""
    text = str(error)
    said = "it does not answer" if _unreachable(text) else text.splitlines()[0][:300].rstrip(".")
    return StorageError(
        f"SPARKIFY_SQS_URL: {operation} on {url} failed: {said}. Check the URL, AWS_REGION and the "
        "permissions sqs:ReceiveMessage and sqs:DeleteMessage (docs/s3.md)"
    )


def is_missing(error: BaseException) -> bool:
    """Whether the object is not there (the bucket is)."""
    return isinstance(error, FileNotFoundError) and _code(str(error)) != "NOSUCHBUCKET"


def _code(text: str) -> str:
    """The error code in capitals without underscores; an HTTP status where there is none."""
    return _group(_CODE, text).replace("_", "").upper() or _group(_STATUS, text)


def _group(pattern: re.Pattern[str], text: str) -> str:
    """The first group that matched; "" where none did."""
    found = pattern.search(text)
    return next((group for group in found.groups() if group), "") if found else ""


_DISK_FULL = "Free some room there and run again: nothing that was committed is lost"
_NOT_ALLOWED = (
    "Let the user that runs this read and write there, and run again: nothing that was committed "
    "is lost"
)
_ON_DISK = {
    errno.ENOSPC: _DISK_FULL,
    errno.EDQUOT: _DISK_FULL,
    errno.EACCES: _NOT_ALLOWED,
    errno.EPERM: _NOT_ALLOWED,
    errno.EROFS: _NOT_ALLOWED,
}
_DENIED = {"ACCESSDENIED", "403", "FORBIDDEN", "ALLACCESSDISABLED"}
_ARCHIVED = {"INVALIDOBJECTSTATE"}
_REFUSED = _DENIED | _ARCHIVED
_BUSY = {
    "SLOWDOWN", "503", "SERVICEUNAVAILABLE", "INTERNALERROR", "INTERNALFAILURE", "500", "502",
    "504", "REQUESTTIMEOUT", "THROTTLING",
}  # fmt: skip
_KEYS = {
    "INVALIDACCESSKEYID", "INVALIDCLIENTTOKENID", "SIGNATUREDOESNOTMATCH", "401",
    "UNRECOGNIZEDCLIENT",
}  # fmt: skip
_CLOCK = {"REQUESTTIMETOOSKEWED", "REQUESTEXPIRED"}
_EXPIRED = {"EXPIREDTOKEN", "EXPIREDTOKENEXCEPTION", "INVALIDTOKEN", "TOKENREFRESHREQUIRED"}
_REGIONS = {
    "PERMANENTREDIRECT", "AUTHORIZATIONHEADERMALFORMED", "ILLEGALLOCATIONCONSTRAINTEXCEPTION",
    "301", "307", "INVALIDREGION",
}  # fmt: skip


def _meaning(code: str, text: str, operation: str, setting: str) -> tuple[str, str]:
    if code == "NOSUCHBUCKET" or (code == "404" and operation == "ListObjectsV2"):
        return "there is no such bucket", f"Correct {setting}, or create the bucket"
    if code in _ARCHIVED:
        return "the object is archived", "Restore it, or remove it from the landing zone"
    if code in _DENIED:
        return (
            "access denied",
            f"Allow {_permission(operation)} there to the role or keys in use "
            "(AWS_PROFILE, AWS_ACCESS_KEY_ID; docs/s3.md has the policy)",
        )
    if code in _EXPIRED:
        return (
            "the credentials have expired",
            "Renew AWS_SESSION_TOKEN and its keys, or log in again with AWS_PROFILE",
        )
    if code in _KEYS:
        return (
            "the credentials are not accepted",
            "Correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
        )
    if code in _REGIONS or "incorrectly configured region" in text:
        region = _group(_REGION, text)
        there = f"the bucket is in {region or 'another region'}"
        return there, f"Set AWS_REGION to {region or 'the region of the bucket'}"
    if code in _CLOCK:
        return "the clock of this machine is wrong", "Set it; S3 takes requests of this time only"
    if code in _BUSY:
        return "the server is busy", "Nothing is lost; run again later"
    if code in {"404", "NOSUCHKEY"}:
        return "the object is not there", "Run again; if it stays, something removed it"
    if _unreachable(text):
        return (
            f"{s3_access().endpoint or 'AWS'} does not answer",
            "Check AWS_ENDPOINT_URL, AWS_REGION and the network",
        )
    return text.splitlines()[0][:300], f"Check {setting} and AWS_ENDPOINT_URL"


def _unreachable(text: str) -> bool:
    signs = (
        "error sending request", "NETWORK_CONNECTION", "onnection refused", "timed out",
        "Could not connect", "dns error", "curlCode", "Connect timeout",
    )  # fmt: skip
    return any(sign in text for sign in signs)


def _permission(operation: str) -> str:
    return {
        "ListObjectsV2": "s3:ListBucket",
        "DeleteObject": "s3:DeleteObject",
        "PutObject": "s3:PutObject",
        "GetObject": "s3:GetObject",
        "ReceiveMessage": "sqs:ReceiveMessage",
        "DeleteMessage": "sqs:DeleteMessage",
    }.get(operation, f"s3:{operation}")
