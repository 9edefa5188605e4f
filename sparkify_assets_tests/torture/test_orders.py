"""Order does not matter: a drawn one, and what such an order is made of."""

from __future__ import annotations

import gzip
import random

from sparkify_assets_tests.torture import orders, reference
from sparkify_assets_tests.torture.deliveries import (
    Delivery,
    clean,
    disorder,
    draw_lines,
    draw_songs,
)
from sparkify_assets_tests.torture.tally import DOUBLED, LOST, OTHER, Tally
from sparkify_assets_tests.zone import event, song, ts

_SEED = 2018


def _left(deliveries: list[Delivery]) -> dict[str, bytes]:
    """What lies in the landing zone in the end."""
    zone: dict[str, bytes] = {}
    for delivery in deliveries:
        zone |= delivery.put
        for key in delivery.deleted:
            del zone[key]
    return zone


def _lines(zone: dict[str, bytes]) -> set[bytes]:
    unpacked = (gzip.decompress(v) if k.endswith(".gz") else v for k, v in zone.items())
    return {line for content in unpacked for line in content.split(b"\n")}


def test_an_order_of_arrival_does_not_matter() -> None:
    tally = Tally("orders")
    orders.one_order(_SEED, tally)
    assert not tally.failures
    assert tally.counts["runs"] == 4
    assert tally.counts["rows"] > 10


def test_an_order_has_all_lines_in_the_end_and_everything_that_may_happen_on_the_way() -> None:
    seen: set[str] = set()
    for seed in range(40):
        draw = random.Random(seed)
        lines, songs = draw_lines(draw), draw_songs(draw)
        found = disorder(draw, lines, songs, 3)
        zone = _left(found)
        assert _lines(zone) == _lines(_left([clean(lines, songs)]))
        keys = [set(delivery.put) for delivery in found]
        facts = {
            "packed": any(key.endswith(".gz") for key in zone),
            "whole again": any("again" in key for key in zone),
            "deleted": any(delivery.deleted for delivery in found),
            "part first": any(found[0].put[key] != zone[key] for key in keys[0] & zone.keys()),
            "songs first": any(key.startswith("song_data") for key in keys[0]),
            "songs last": any(key.startswith("song_data") for key in keys[2] - keys[0] - keys[1]),
            "late": any("2018/11" in key for key in keys[2]),
            "other month": any(
                b'"ts": ' + str(line["ts"]).encode() in content and "2018/11" in key
                for line in lines
                if line["ts"] >= ts("2018-12-01")
                for key, content in zone.items()
            ),
        }
        seen |= {name for name, is_so in facts.items() if is_so}
    assert seen == facts.keys()


def test_what_is_compared_tells_lost_doubled_and_other_rows() -> None:
    tally = Tally("orders")
    for found in ([1], [1, 2, 2], [1, 3], [2, 1]):
        orders._compare("a table", [(n,) for n in found], [(1,), (2,)], tally, "the seed")
    assert [failure.kind for failure in tally.failures] == [LOST, DOUBLED, OTHER]
    assert tally.failures[0].repeat == "the seed"


def test_the_rules_of_repeated_events_users_and_matches() -> None:
    once = event(level="paid", userId="1")
    events = reference.counted([once, {**once, "level": None}, {**once, "level": "free"}])
    assert [one["level"] for one in events] == [None]
    nobody = [event(userId=None), event(userId="")]
    assert len(reference.counted(nobody)) == 1
    later = event("2018-11-16", userId="1", level="free", page="Home")
    assert reference.users([later, once]) == [("1", "Lily", "Koch", "F", "free")]
    songs = [song("SB", duration=260.0), song("SA", duration=280.0), song("SC", title="Other")]
    [play] = reference.songplays([once, later], songs)
    assert play[reference.PLAY_COLUMNS.index("song_id")] == "SB"
    [moment] = reference.times([once, later])
    assert moment[1:] == (12, 15, 46, 11, 2018, 4)
