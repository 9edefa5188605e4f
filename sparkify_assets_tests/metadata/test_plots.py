"""Plots within metadata: what is drawn, read back from the picture."""

from __future__ import annotations

import base64
import re
from xml.etree import ElementTree as ET

import pytest
from dagster import MarkdownMetadataValue

from sparkify_assets.metadata.plots import match_rates, plays_per_day

SVG = "{http://www.w3.org/2000/svg}"


def picture(value: MarkdownMetadataValue) -> ET.Element:
    data = str(value.value).partition("base64,")[2].removesuffix(")")
    return ET.fromstring(base64.b64decode(data))  # noqa: S314 -- made here


def texts(svg: ET.Element) -> list[str]:
    return [str(one.text) for one in svg.iter(f"{SVG}text")]


def heights(svg: ET.Element) -> list[float]:
    """Of the bars, in pixels."""
    [bars] = [one.get("d", "") for one in svg.iter(f"{SVG}path") if one.get("fill")]
    found = re.findall(r"M[\d.]+ ([\d.]+)V([\d.]+)h", bars)
    return [float(bottom) - float(top) for bottom, top in found]


def test_each_day_of_the_month_has_a_bar_as_high_as_its_plays() -> None:
    svg = picture(plays_per_day("2018-02", {"2018-02-01": 50, "2018-02-28": 100}))
    found = heights(svg)
    assert len(found) == 28
    assert found[0] * 2 == found[-1] > 50
    assert not any(found[1:-1])


@pytest.mark.parametrize(
    ("most", "labels"),
    [
        (1, ["0", "0.25", "0.5", "0.75", "1"]),
        (7, ["0", "2", "4", "6", "8"]),
        (8_000, ["0", "2,000", "4,000", "6,000", "8,000"]),
        (1_234_567, ["0", "500,000", "1,000,000", "1,500,000"]),
    ],
)
def test_the_axis_has_round_numbers_up_to_the_highest_bar(most: int, labels: list[str]) -> None:
    svg = picture(plays_per_day("2018-11", {"2018-11-05": most}))
    title, *axis = texts(svg)
    assert title == "plays per day, 2018-11"
    assert axis == [*labels, "1", "8", "15", "22", "29"]
    assert 0 < max(heights(svg)) <= 140


def test_a_month_without_plays_is_drawn_too() -> None:
    assert heights(picture(plays_per_day("2018-11", {}))) == [0.0] * 30


def test_each_month_has_a_point_and_not_more_than_twelve_a_label() -> None:
    rates = {f"{year}-{month:02d}": 0.3 for year in (2017, 2018) for month in range(1, 13)}
    svg = picture(match_rates(rates))
    points = list(svg.iter(f"{SVG}circle"))
    assert len(points) == 24
    assert {point.get("cy") for point in points} == {points[0].get("cy")}
    months = [text for text in texts(svg) if text.startswith("201")]
    assert months == [f"{y}-{m:02d}" for y in (2017, 2018) for m in range(1, 13, 2)]
    assert [text for text in texts(svg) if text not in months][-1] == "30"


def test_rates_of_nothing_and_of_no_match_are_drawn_too() -> None:
    assert list(picture(match_rates({})).iter(f"{SVG}circle")) == []
    assert len(list(picture(match_rates({"2018-11": 0.0})).iter(f"{SVG}circle"))) == 1
