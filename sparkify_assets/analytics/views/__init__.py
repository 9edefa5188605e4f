"""The views for people, declared like tables; the SQL of each lies beside this module."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from sparkify_assets.tables import ARTISTS, SONGPLAYS, USERS, Column, Table
from sparkify_assets.tables.declaration import INSTANT, NUMBER, SMALL, TEXT, WHOLE

DAY = pa.date32()
YES_NO = pa.bool_()


@dataclass(frozen=True)
class View:
    """A view: `views/<name>.sql` selects exactly these columns.

    Attributes:
        needs: the tables and views that its SQL names.
        whole: whether it takes all plays to make any of its rows.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    needs: tuple[str, ...]
    whole: bool = False


def _same(table: Table, *names: str) -> tuple[Column, ...]:
    found = {column.name: column for column in table.columns}
    return tuple(found[name] for name in names)


_MONTH = Column("month", TEXT, "Month as YYYY-MM, UTC; a filter on it reads that month only.")

PLAYS = View(
    name="plays",
    description=(
        "One row per play, with everything that people ask for in one place: when, who, where, and "
        "what. The artist is the catalogue's where the play matches a song, else as heard."
    ),
    columns=(
        *_same(SONGPLAYS, "songplay_id", "start_time"),
        _MONTH,
        Column("year", SMALL, "Calendar year, UTC."),
        Column("week", TEXT, "ISO week as YYYY-Www, UTC."),
        Column("day", DAY, "Day, UTC."),
        Column("weekday", SMALL, "1 = Monday … 7 = Sunday."),
        Column("hour", SMALL, "Hour of the day, 0 to 23, UTC."),
        *_same(SONGPLAYS, "user_id"),
        *_same(USERS, "first_name", "last_name", "gender"),
        *_same(SONGPLAYS, "level", "session_id", "location", "user_agent"),
        Column("song", TEXT, "The song's title; a match has the same title as was heard."),
        Column("artist", TEXT, "artists.name of a match, else as heard."),
        Column("length", NUMBER, "Length of the song as heard, seconds."),
        Column("matched", YES_NO, "Whether the play matches a song of the catalogue.", False),
        *_same(SONGPLAYS, "song_id", "artist_id"),
        *_same(ARTISTS, "latitude", "longitude"),
    ),
    needs=("songplays", "users", "artists"),
)

SESSIONS = View(
    name="sessions",
    description=(
        "One row per session of a user: its plays from the first to the last. A session that runs "
        "over the end of a month counts to the month in which it began."
    ),
    columns=(
        *_same(SONGPLAYS, "session_id", "user_id"),
        Column("start_time", INSTANT, "When its first play began, UTC.", nullable=False),
        Column("end_time", INSTANT, "When its last play ended, UTC: its start and length."),
        Column("month", TEXT, "Month in which it began, YYYY-MM, UTC."),
        Column("plays", WHOLE, "How many plays it has.", nullable=False),
        Column("minutes", NUMBER, "Minutes from start to end."),
        Column("level", TEXT, "The user's level at the first play."),
    ),
    needs=("songplays",),
    whole=True,
)

LEVELS = View(
    name="levels",
    description=(
        "One row per change of a user's level as the plays show it: the first play at the new "
        "level. Two changes without a play in between are not seen."
    ),
    columns=(
        *_same(SONGPLAYS, "user_id"),
        Column("changed_at", INSTANT, "The first play at the new level, UTC.", nullable=False),
        Column("month", TEXT, "Month of the change, YYYY-MM, UTC."),
        Column("level_before", TEXT, "free or paid."),
        Column("level", TEXT, "free or paid, from then on."),
        Column("change", TEXT, "upgrade (free to paid) or downgrade."),
        Column("last_play_before", INSTANT, "The last play at the level before, UTC."),
    ),
    needs=("songplays",),
    whole=True,
)

VIEWS = (PLAYS, SESSIONS, LEVELS)
