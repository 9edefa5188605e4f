"""Notifications of the bucket: they wake the sensor, and change nothing else."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from dagster import DagsterInstance

from sparkify_assets.ingest.ledger import Ledger
from sparkify_assets.sensors.attempts import FIRST_PAUSE_SECONDS
from sparkify_assets.sensors.new_files import RECONCILE_SECONDS, Cursor
from sparkify_assets.settings import Settings
from sparkify_assets_tests.refresh.world import World
from sparkify_assets_tests.s3.fixtures import new_bucket
from sparkify_assets_tests.s3.proxy import Proxy
from sparkify_assets_tests.s3.servers import client
from sparkify_assets_tests.sensors.station import Station
from sparkify_assets_tests.zone import event

DAY = "log_data/2018/11/2018-11-15 a+b.json"


@dataclass
class Mail:
    """A queue with the notifications of the landing bucket."""

    proxy: Proxy
    url: str
    bucket: str

    def waiting(self) -> int:
        """Messages in the queue, those just received among them."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self._sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)
        return sum(int(found["Attributes"][name]) for name in names)

    def drop(self) -> None:
        """Lose everything."""
        while found := self._sqs.receive_message(QueueUrl=self.url).get("Messages"):
            for message in found:
                receipt = message["ReceiptHandle"]
                self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=receipt)

    def send(self, body: Any) -> None:
        """A message of any kind."""
        self._sqs.send_message(QueueUrl=self.url, MessageBody=json.dumps(body))

    def tell(
        self, key: str, etag: str = "0" * 32, size: int = 3, kind: str = "ObjectCreated:Put"
    ) -> None:
        """A notification about a key below the landing zone's prefix."""
        entity = {"key": f"in/{key}", "size": size, "eTag": etag}
        record = {"eventName": kind, "s3": {"bucket": {"name": self.bucket}, "object": entity}}
        self.send({"Records": [record]})

    @property
    def _sqs(self) -> Any:
        return client(self.proxy.endpoint, "sqs")


@pytest.fixture(params=["on_moto", "on_ministack"])
def mail(request: pytest.FixtureRequest) -> Mail:
    """A bucket that tells a queue what happens to it."""
    proxy: Proxy = request.getfixturevalue(request.param)
    bucket = new_bucket(proxy)
    sqs, s3 = client(proxy.endpoint, "sqs"), client(proxy.endpoint)
    url = sqs.create_queue(QueueName=f"q-{bucket}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={
            "QueueConfigurations": [
                {
                    "QueueArn": arn["Attributes"]["QueueArn"],
                    "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"],
                }
            ]
        },
    )
    return Mail(proxy, url, bucket)


@pytest.fixture
def post(
    mail: Mail, s3_settings_for: Callable[[Proxy, str], Callable[..., Settings]]
) -> Iterator[tuple[World, Station]]:
    """A landing zone with notifications, and its sensor."""
    from sparkify_assets_tests.s3.zone import BucketZone

    settings = s3_settings_for(mail.proxy, mail.bucket)
    world = World(BucketZone(mail.proxy.endpoint, settings().landing), settings)
    with DagsterInstance.ephemeral() as instance:
        station = Station(settings, instance)
        station.given = {"sqs_url": mail.url}
        world.zone.song()
        world.zone.logs("log_data/2018/11/first.json", event())
        station.settle()
        mail.proxy.counts()
        yield world, station


@pytest.fixture
def s3_settings_for() -> Callable[[Proxy, str], Callable[..., Settings]]:
    """Settings for a given landing bucket."""
    from sparkify_assets.settings import load_settings

    def of(proxy: Proxy, landing: str) -> Callable[..., Settings]:
        lake = new_bucket(proxy)

        def make(**given: Any) -> Settings:
            return load_settings(
                **{
                    "landing": f"s3://{landing}/in",
                    "lake": f"s3://{lake}/lake",
                    "first_month": "2018-10",
                    "last_month": "2019-03",
                    **given,
                }
            )

        return make

    return of


def test_a_notification_names_the_file_and_nothing_is_listed(
    post: tuple[World, Station], mail: Mail
) -> None:
    world, station = post
    world.zone.logs(DAY, event(sessionId=2))
    mail.proxy.counts()
    (request,) = station.tick()
    counts = mail.proxy.counts()
    # One look at the ledger; the landing zone itself is not listed.
    assert (counts.get("LIST", 0), counts.get("HEAD", 0)) == (1, 0)
    assert request.tags["sparkify/group"] == "2018-11"
    assert all(station.run([request]))
    assert len(world.rows("songplays")) == 2
    assert station.settle() == 0
    assert mail.waiting() == 0


def test_a_lost_notification_is_made_good_by_the_next_listing(
    post: tuple[World, Station], mail: Mail
) -> None:
    world, station = post
    world.zone.logs(DAY, event(sessionId=2))
    mail.drop()
    assert station.tick() == []
    cursor = Cursor.read(station.cursor)
    cursor.listed_at = 0
    station.cursor = cursor.write()
    assert station.settle() == 1
    assert len(world.rows("songplays")) == 2


def test_doubled_late_and_senseless_notifications_change_nothing(
    post: tuple[World, Station], mail: Mail
) -> None:
    world, station = post
    world.zone.logs(DAY, event(sessionId=2))
    station.settle()
    before = world.rows("songplays")
    found = client(mail.proxy.endpoint).head_object(Bucket=mail.bucket, Key=f"in/{DAY}")
    etag = found["ETag"].strip('"')
    for _ in range(2):
        mail.tell("log_data/2018/11/2018-11-15+a%2Bb.json", etag, found["ContentLength"])
    assert station.tick() == []  # it is in already
    mail.tell("log_data/2018/11/2018-11-15+a%2Bb.json", "1" * 32)  # of an older content
    mail.tell("log_data/2018/11/never-was.json")
    mail.tell("log_data/2018/11/first.json", kind="ObjectRemoved:Delete")
    mail.send({"Event": "s3:TestEvent"})
    mail.send("nonsense")
    mail.send([1])
    mail.send({"Records": None})
    mail.send({"Records": ["x", {"s3": None}, {"s3": {"object": {"key": None}}}]})
    mail.send({"Records": [{"s3": {"bucket": {"name": "other"}, "object": {"key": "in/x"}}}]})
    runs = station.tick()
    assert len(runs) == 1  # it looks, and finds nothing
    assert all(station.run(runs))
    assert station.settle() == 0
    assert world.rows("songplays") == before


def test_what_is_told_while_a_run_is_under_way_is_not_forgotten(
    post: tuple[World, Station], mail: Mail
) -> None:
    world, station = post
    world.zone.logs(DAY, event(sessionId=2))
    requests = station.tick()
    station.begin(requests[0])
    world.zone.logs("log_data/2018/11/more.json", event(sessionId=3))
    assert station.tick() == []
    assert "a run is under way" in station.skipped
    for run in station.instance.get_runs():
        if not run.is_finished:
            station.instance.report_run_canceled(run)
    assert station.run(station.tick())
    assert len(world.rows("songplays")) == 3


def test_without_the_queue_the_landing_zone_is_listed_and_the_setting_named(
    post: tuple[World, Station], mail: Mail
) -> None:
    world, station = post
    station.given = {"sqs_url": f"{mail.proxy.endpoint}/123456789012/nowhere"}
    assert station.tick() == []
    assert "SPARKIFY_SQS_URL: receive_message on" in station.skipped
    world.zone.logs(DAY, event(sessionId=2))
    assert station.settle() == 1


def test_an_empty_queue_costs_no_look_at_the_ledgers_rows(
    post: tuple[World, Station], mail: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, station = post
    monkeypatch.setattr(Ledger, "digests", None)
    monkeypatch.setattr(Ledger, "of", None)
    assert station.tick() == []
    assert "0 notifications" in station.skipped


def test_a_run_that_fails_after_its_notification_is_tried_again(
    post: tuple[World, Station], mail: Mail
) -> None:
    world, station = post
    world.zone.logs(DAY, event(sessionId=2))
    assert len(station.tick()) == 1  # its run dies without a trace
    cursor = Cursor.read(station.cursor)
    assert time.time() - cursor.listed_at > RECONCILE_SECONDS - FIRST_PAUSE_SECONDS - 5
    cursor.listed_at -= FIRST_PAUSE_SECONDS + 5  # as long after
    station.cursor, station.keys = cursor.write(), set()
    assert station.settle() == 1
    assert len(world.rows("songplays")) == 2


def test_a_queue_for_a_folder_is_refused(world: World) -> None:
    from sparkify_assets.errors import SettingsError

    with pytest.raises(SettingsError, match="SPARKIFY_SQS_URL: set, but SPARKIFY_LANDING is"):
        world.settings(sqs_url="http://127.0.0.1:1/q")
