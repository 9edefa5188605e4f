"""The assets of the tables that are made by transforms, one line each."""

from dagster import AssetsDefinition, PartitionsDefinition

from sparkify_assets.assets.common import table_asset
from sparkify_assets.tables import (
    ARTISTS,
    HEARD_SONGS,
    SONG_MATCHES,
    SONGPLAYS,
    SONGS,
    TIME,
    USER_HISTORY,
    USER_MONTHS,
    USERS,
)
from sparkify_assets.transforms import catalogue, listening, people


def table_assets(months: PartitionsDefinition[str]) -> list[AssetsDefinition]:
    """Every table but the raw ones."""
    return [
        table_asset(SONGS, months, catalogue.songs, group="tables"),
        table_asset(ARTISTS, months, catalogue.artists, group="tables"),
        table_asset(USER_MONTHS, months, people.user_months, group="derived"),
        table_asset(USER_HISTORY, months, people.user_history, group="derived"),
        table_asset(USERS, months, people.users, group="tables"),
        table_asset(HEARD_SONGS, months, listening.heard_songs, group="derived"),
        table_asset(SONG_MATCHES, months, listening.song_matches, group="derived"),
        table_asset(SONGPLAYS, months, listening.songplays, group="tables"),
        table_asset(TIME, months, listening.time, group="tables"),
    ]
