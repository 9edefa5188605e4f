"""Charts: that Vega-Lite takes them, and what they show."""

from __future__ import annotations

import altair as alt
import pytest

from sparkify_assets.analytics.report.charts import MOST, Chart, ChartError, draw
from sparkify_assets.analytics.report.model import Section
from sparkify_assets_tests.analytics.report.pages import Drawn, every_kind, section

SONGS = {"song": ["Intro", "Undo", "Intro"], "artist": ["A", "B", "C"], "plays": [3, 2, 1]}


def drawn(found: Section) -> Chart:
    chart = draw(found)
    assert chart is not None
    return chart


@pytest.mark.parametrize("found", every_kind()[:-1], ids=lambda found: found.name)
def test_the_specification_is_as_the_schema_of_vega_lite_says(found: Section) -> None:
    alt.Chart.from_dict(drawn(found).spec, validate=True)


def test_bars_lie_whichever_column_is_named_x() -> None:
    one, other = (
        drawn(section(Drawn("bar", *axes), SONGS)).spec
        for axes in (("song", "plays"), ("plays", "song"))
    )
    assert one == other


def test_two_songs_of_one_title_are_two_bars() -> None:
    rows = drawn(section(Drawn("bar", "plays", "song"), SONGS)).spec["data"]["values"]
    assert [row["from"] for row in rows] == [0, 0, 0]
    assert len({row["bar_at"] for row in rows}) == 3


def test_few_colours_of_one_bar_stand_behind_each_other() -> None:
    rows = {"city": ["X", "X", "Y"], "level": ["free", "paid", "paid"], "plays": [1, 2, 4]}
    values = drawn(section(Drawn("bar", "plays", "city", "level"), rows)).spec["data"]["values"]
    assert [(row["from"], row["to"]) for row in values] == [(0, 1), (1, 3), (0, 4)]
    assert [row["label"] for row in values] == ["X", "", "Y"]


def test_colours_that_would_tell_nothing_are_written_as_words() -> None:
    many = {"song": list("abcdefg"), "artist": list("ABCDEFG"), "plays": range(7)}
    spec = drawn(section(Drawn("bar", "plays", "song", "artist"), many)).spec
    assert [row["label"] for row in spec["data"]["values"]][:2] == ["a · A", "b · B"]
    assert "color" not in spec["layer"][0]["encoding"]


def test_one_column_alone_becomes_bars() -> None:
    rows = {"month": ["2018-11"] * 2, "change": ["up", "down"], "changes": [8, 1]}
    values = drawn(section(Drawn("column", "month", "changes", "change"), rows)).spec["data"]
    assert [row["label"] for row in values["values"]] == ["up", "down"]


def test_a_colour_without_a_row_counts_as_nothing_in_a_stack() -> None:
    rows = {"day": ["1", "1", "2"], "level": ["free", "paid", "paid"], "plays": [5, 5, 7]}
    values = drawn(section(Drawn("area", "day", "plays", "level"), rows)).spec["data"]["values"]
    assert [(row["name"], row["colour"], row["c2"]) for row in values] == [
        ("1", "free", 5), ("1", "paid", 5), ("2", "paid", 7), ("2", "free", 0),
    ]  # fmt: skip


def test_weekdays_have_names_and_the_order_of_the_week() -> None:
    rows = {"weekday": [7, 1, 3], "plays": [1, 2, 3]}
    spec = drawn(section(Drawn("column", "weekday", "plays"), rows)).spec
    assert spec["encoding"]["x"]["sort"] == ["Mon", "Wed", "Sun"]


def test_a_column_has_the_label_that_the_question_gives_it() -> None:
    chart = Drawn("column", "hour", "plays", labels={"hour": "hour (UTC)"})
    spec = drawn(section(chart, {"hour": [1], "plays": [2]})).spec
    assert spec["encoding"]["x"]["title"] == "hour (UTC)"


def test_more_bars_than_anybody_reads_are_left_to_the_numbers() -> None:
    many = MOST["bar"] + 3
    chart = drawn(section(Drawn("bar", "s", "n"), {"s": map(str, range(many)), "n": range(many)}))
    assert len(chart.spec["data"]["values"]) == MOST["bar"]
    assert chart.note == f"The first {MOST['bar']} of {many}."


def test_what_is_no_number_is_left_out_of_the_chart() -> None:
    rows = {"day": ["1", "2", "3"], "plays": [1.0, float("nan"), None]}
    chart = drawn(section(Drawn("line", "day", "plays"), rows))
    assert [row["c1"] for row in chart.spec["data"]["values"]] == [1.0, None, None]
    assert "Most: 1 (1); least: 1 (1)" in chart.alt


@pytest.mark.parametrize(
    ("chart", "reason"),
    [
        (Drawn("pie", "song", "plays"), "a chart of kind 'pie'; expected bar, column"),
        (Drawn("bar", "title", "plays"), "x is 'title'; the answer has the columns song, artist"),
        (Drawn("line", "plays", "song"), "a line needs an amount as its y; found 'song'"),
        (Drawn("heatmap", "song", "artist"), "a heatmap needs an amount as its color; found None"),
    ],
)
def test_a_chart_that_the_answer_cannot_give_is_told(chart: Drawn, reason: str) -> None:
    with pytest.raises(ChartError, match="wrong: ") as error:
        draw(section(chart, SONGS, "wrong"))
    assert reason in str(error.value)
