"""The landing zone as external assets: where the graph begins."""

from dagster import AssetSpec, PartitionsDefinition

from sparkify_assets.ingest.landing import LOGS, SONGS


def landing_assets(months: PartitionsDefinition[str]) -> list[AssetSpec]:
    """`log_data`, a file per day, by month, and `song_data`, a file per song."""
    return [
        AssetSpec(
            LOGS,
            description="Log files of the app, one event a line, as they land: "
            "`log_data/2018/11/2018-11-01-events.json` or `log_data/2018-11-01-events.json`.",
            group_name="landing",
            partitions_def=months,
        ),
        AssetSpec(
            SONGS,
            description="Song files, one JSON object each, as they land: "
            "`song_data/A/B/C/TRABC….json`.",
            group_name="landing",
        ),
    ]
