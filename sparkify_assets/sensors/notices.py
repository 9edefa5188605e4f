"""Event notifications of the landing bucket, from an SQS queue: which files may be new.

They are hints that save a listing. A listing now and then reconciles, so one that is lost, comes
twice or late, or tells what is no longer so, changes nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from sparkify_assets.errors import StorageError
from sparkify_assets.ingest.landing import Listing
from sparkify_assets.ingest.landing_bucket import BucketLanding, take
from sparkify_assets.storage.access import s3_access
from sparkify_assets.storage.failures import explained_queue
from sparkify_assets.storage.listing import Page
from sparkify_assets.storage.requests import REQUESTS, SQS

# With so many at once a listing is quicker.
MOST_MESSAGES = 500
_BATCH = 10


@dataclass
class Notices:
    """What the queue held.

    Attributes:
        created: tag and size by key, of the last notice about each key.
        receipts: what it takes to delete the messages once they were acted on.
        full: whether there were more than could be taken.
    """

    created: dict[str, tuple[str, int]] = field(default_factory=dict)
    receipts: list[str] = field(default_factory=list)
    full: bool = False

    def listing(self, months: set[str]) -> Listing:
        """The created files as a listing, which is not complete."""
        listing = Listing(complete=False)
        keys = sorted(self.created)
        page = Page(
            keys=keys,
            etags=[self.created[key][0] for key in keys],
            sizes=[self.created[key][1] for key in keys],
            requests=0,
        )
        take(page, listing, months)
        return listing


class Queue:
    """A queue with the notifications of the landing zone's bucket."""

    def __init__(self, url: str, landing: BucketLanding) -> None:
        self._url = url
        self._location = landing.location

    def receive(self) -> Notices:
        """Everything that waits, up to `MOST_MESSAGES`; does not wait for more.

        Raises:
            StorageError: the queue cannot be read.
        """
        notices = Notices()
        while len(notices.receipts) < MOST_MESSAGES:
            found = self._call(
                "receive_message", MaxNumberOfMessages=_BATCH, WaitTimeSeconds=0
            ).get("Messages", [])
            for message in found:
                notices.receipts.append(message["ReceiptHandle"])
                self._read(message["Body"], notices)
            if not found:
                return notices
        notices.full = True
        return notices

    def delete(self, notices: Notices) -> None:
        """Remove the messages: what they told is in the sensor's run requests."""
        for start in range(0, len(notices.receipts), _BATCH):
            batch = notices.receipts[start : start + _BATCH]
            entries = [{"Id": str(i), "ReceiptHandle": r} for i, r in enumerate(batch)]
            self._call("delete_message_batch", Entries=entries)

    def _call(self, name: str, **arguments: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        REQUESTS.add(SQS)
        client = s3_access().client("sqs")
        try:
            return getattr(client, name)(QueueUrl=self._url, **arguments)
        except (BotoCoreError, ClientError) as error:
            raise explained_queue(error, name, self._url) from None

    def _read(self, body: str, notices: Notices) -> None:
        try:
            message = json.loads(body)
            # By way of SNS the notification is wrapped once more.
            records = json.loads(message["Message"]) if "Message" in message else message
            for record in records.get("Records", []):
                self._note(record, notices)
        except (ValueError, TypeError, AttributeError, KeyError):
            return  # not a notification of S3; the next listing sees whatever it meant

    def _note(self, record: dict[str, Any], notices: Notices) -> None:
        above = self._location.above
        entity = record["s3"]
        key = unquote_plus(entity["object"]["key"])
        if entity["bucket"]["name"] != self._location.bucket or not key.startswith(above):
            return
        name = key.removeprefix(above)
        if str(record.get("eventName", "")).startswith("ObjectRemoved"):
            notices.created.pop(name, None)
            return
        tag = str(entity["object"].get("eTag", "")).strip('"')
        notices.created[name] = (f'"{tag}"', int(entity["object"].get("size", 0)))


def queue_of(url: str | None, landing: object) -> Queue | None:
    """The queue, where there is one.

    Raises:
        StorageError: there is a queue, but the landing zone is no bucket.
    """
    if not url:
        return None
    if not isinstance(landing, BucketLanding):
        raise StorageError("SPARKIFY_SQS_URL is set, but SPARKIFY_LANDING is a folder")
    return Queue(url, landing)
