"""The assets of the tables that are made by transforms, one line each."""

from dagster import AssetsDefinition

from sparkify_assets.assets.common import Common, table_asset
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


def table_assets(common: Common) -> list[AssetsDefinition]:
    """Every table but the raw ones."""
    return [
        table_asset(SONGS, common, catalogue.songs, group="tables"),
        table_asset(ARTISTS, common, catalogue.artists, group="tables"),
        table_asset(USER_MONTHS, common, people.user_months, group="derived"),
        table_asset(USER_HISTORY, common, people.user_history, group="derived"),
        table_asset(USERS, common, people.users, group="tables", live=True),
        table_asset(HEARD_SONGS, common, listening.heard_songs, group="derived"),
        table_asset(SONG_MATCHES, common, listening.song_matches, group="derived"),
        table_asset(SONGPLAYS, common, listening.songplays, group="tables", live=True),
        table_asset(TIME, common, listening.time, group="tables", live=True),
    ]
