"""The landing zone as external assets: where the graph begins."""

from dagster import AssetSpec

from sparkify_assets.assets.common import Common
from sparkify_assets.ingest.landing import LOGS, SONGS
from sparkify_assets.storage.location import Location

_LOGS = """Log files of the app, one event a line, as they land:
`log_data/2018/11/2018-11-01-events.json` or `log_data/2018-11-01-events.json`.

- **One file:** a day of events; it may hold some of the day after
- **Month:** the one in the file's key; `raw_logs` has the same partitions
- **Endings:** `.json`, `.jsonl`, `.ndjson`, also with `.gz`
- **Told by:** the sensor `new_files`, whenever files or bytes changed"""
_SONGS = """Song files, one JSON object each, as they land: `song_data/A/B/C/TRABC….json`.

- **One file:** a song with its artist
- **Endings:** `.json`, `.jsonl`, `.ndjson`, also with `.gz`
- **Told by:** the sensor `new_files`, whenever files or bytes changed"""


def landing_assets(common: Common, landing: str) -> list[AssetSpec]:
    """`log_data`, a file per day, by month, and `song_data`, a file per song.

    Args:
        landing: where they are, a URI.
    """
    location = Location(landing.rstrip("/"))
    kinds = {"json", "s3"} if location.on_s3 else {"json"}
    return [
        AssetSpec(
            name,
            description=text,
            group_name="landing",
            owners=list(common.owners),
            kinds=kinds,
            tags={"sparkify/layer": "landing", "sparkify/personal_data": personal},
            metadata={"dagster/uri": location.join(name).uri},
            partitions_def=common.months if name == LOGS else None,
        )
        for name, text, personal in ((LOGS, _LOGS, "yes"), (SONGS, _SONGS, "no"))
    ]
