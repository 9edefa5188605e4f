"""The asset `listening_report`: a page a month for people, made from the newest release."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetMaterialization,
    AssetsDefinition,
    MetadataValue,
    Nothing,
    Output,
    asset,
)

from sparkify_assets.analytics.report.model import Question
from sparkify_assets.analytics.report.write import FOLDER, Written, write_report
from sparkify_assets.analytics.session import Limits, Session, open_session
from sparkify_assets.assets.common import REBUILD_CONFIG, Common
from sparkify_assets.errors import SparkifyError
from sparkify_assets.io_managers.s3_parquet import REBUILD
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.release import newest_release
from sparkify_assets.metadata import markdown
from sparkify_assets.partitions import month_number
from sparkify_assets.refresh.answers import LISTENING_REPORT, RELEASE
from sparkify_assets.refresh.failures import explained, is_passing, reason_of, refused
from sparkify_assets.resources.storage import LakeResource
from sparkify_assets.storage.location import Location
from sparkify_assets.tables import PUBLIC, SONGPLAYS

_DESCRIPTION = """The monthly listening report: one HTML page that needs nothing but a browser, with
key figures, charts and the numbers behind them. It names no person.

- **Partitions:** month of the plays, UTC (`YYYY-MM`)
- **Made from** the newest release, by the named questions that have a place in the report
- **Up to date** while what those read is the same: then it is left alone
- **Open it:** `sparkify report --month 2018-11 --open`, or where the metadata says"""
_NO_RELEASE = "the lake has no release to read from yet"
_TOP_SONGS = """
SELECT song, artist, count(*) AS plays
FROM songplays
WHERE year * 100 + month = $number AND song IS NOT NULL
GROUP BY ALL
ORDER BY plays DESC, song, artist
LIMIT 5
"""


def report_asset(
    common: Common,
    questions: Callable[[], Sequence[Question]],
    limits: Limits,
    preview_rows: int,
) -> AssetsDefinition:
    """Downstream of the release.

    Args:
        questions: gives all named questions, when a report is made.
        limits: of each query.
        preview_rows: as for tables; 0 shows no songs in the metadata.
    """

    described: dict[str, Any] = {
        "name": LISTENING_REPORT,
        "deps": [RELEASE, *[table.name for table in PUBLIC]],
        "description": _DESCRIPTION,
        "group_name": "answers",
        "owners": list(common.owners),
        "kinds": {"html", "duckdb"},
        "tags": {"sparkify/layer": "answers", "sparkify/personal_data": "no"},
        "metadata": {"dagster/uri": Location(common.lake.rstrip("/")).join(FOLDER).uri},
        "partitions_def": common.months,
        "backfill_policy": common.backfill_policy(),
        "config_schema": REBUILD_CONFIG,
        "dagster_type": Nothing,  # the page is written here, not by the IO manager
    }

    def listening_report(context: AssetExecutionContext, lake: LakeResource) -> Iterator[Any]:
        rebuild = bool(context.op_execution_context.op_config[REBUILD])
        made: dict[str, dict[str, Any]] = {}
        wrong: dict[str, str] = {}
        with explained(context.log, context.run.tags):
            there = Lake.at(lake.uri)
            release = newest_release(there)
            if release is None:
                context.log.warning(f"no report was made: {_NO_RELEASE}")
                told = {"made_again": False, "why_not": _NO_RELEASE}
                made = dict.fromkeys(context.partition_keys, told)
            else:
                # One session: what takes all plays is asked once for all months.
                with open_session(there, release, limits, keep=True) as session:
                    for month in context.partition_keys:
                        try:
                            written = write_report(
                                there, session, month, questions(), again=rebuild
                            )
                            made[month] = _metadata(session, written, preview_rows)
                        except SparkifyError as error:
                            if is_passing(error):
                                raise
                            wrong[month] = reason_of(error)
        for month, metadata in made.items():
            if wrong:  # the step fails, and Dagster by itself would tell of none of them
                key = context.asset_key
                context.log_event(AssetMaterialization(key, partition=month, metadata=metadata))
            else:
                context.add_asset_metadata(metadata, partition_key=month)
        if wrong:
            raise refused(LISTENING_REPORT, wrong, len(made))
        yield Output(None)

    definition: AssetsDefinition = asset(**described)(listening_report)
    return definition


def _metadata(session: Session, written: Written, preview_rows: int) -> dict[str, Any]:
    plays = session.snapshot(SONGPLAYS.name).parts_of([written.month])
    number = {"number": month_number(written.month)}
    songs = session.table(_TOP_SONGS, number).to_pylist() if preview_rows else []
    return {
        # A browser opens no file from a page of a server.
        "report": MetadataValue.path(written.uri)
        if written.url.startswith("file:")
        else MetadataValue.url(written.url),
        "open_with": f"sparkify report --month {written.month} --open",
        "release": session.release.number,
        "plays": sum(part.rows for part in plays),
        "bytes": written.size,
        "made_again": written.made,
        "step_seconds": written.seconds,
        **({"top_songs": markdown.table(songs)} if songs else {}),
    }
