"""Puts the Dagster definitions together: assets, jobs, sensors, resources. Start reading here."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from dagster import (
    BetaWarning,
    Definitions,
    LoggerDefinition,
    PreviewWarning,
    in_process_executor,
)

# Parts of Dagster that are in use here on purpose; a plain start would be full of their notices.
warnings.filterwarnings("ignore", category=BetaWarning)
warnings.filterwarnings("ignore", category=PreviewWarning)

from sparkify_assets.analytics.question import all_questions  # noqa: E402
from sparkify_assets.analytics.session import Limits  # noqa: E402
from sparkify_assets.assets.common import Common  # noqa: E402
from sparkify_assets.assets.landing import landing_assets  # noqa: E402
from sparkify_assets.assets.raw import raw_assets  # noqa: E402
from sparkify_assets.assets.release import release_asset  # noqa: E402
from sparkify_assets.assets.report import report_asset  # noqa: E402
from sparkify_assets.assets.tables import table_assets  # noqa: E402
from sparkify_assets.checks.plays import checks_of_plays  # noqa: E402
from sparkify_assets.io_managers import S3ParquetIOManager  # noqa: E402
from sparkify_assets.jobs import all_jobs  # noqa: E402
from sparkify_assets.jobs.maintenance import maintenance_daily, maintenance_job  # noqa: E402
from sparkify_assets.jobs.refresh import REFRESH  # noqa: E402
from sparkify_assets.partitions import monthly_partitions  # noqa: E402
from sparkify_assets.refresh.run_tags import ENGINE_TAG, LAKE_TAG  # noqa: E402
from sparkify_assets.resources.spark import SparkResource  # noqa: E402
from sparkify_assets.resources.storage import LakeResource, LandingResource  # noqa: E402
from sparkify_assets.sensors.alerts import alert_sensors  # noqa: E402
from sparkify_assets.sensors.new_files import new_files_sensor  # noqa: E402
from sparkify_assets.settings import Settings, load_settings  # noqa: E402
from sparkify_assets.storage.location import S3  # noqa: E402

__all__ = ["REFRESH", "build_defs"]


def build_defs(
    settings: Settings | None = None,
    *,
    resources: Mapping[str, Any] | None = None,
    loggers: Mapping[str, LoggerDefinition] | None = None,
) -> Definitions:
    """All definitions, for these settings (read from the environment where none are given).

    Args:
        resources: put in place of those of the same name.
        loggers: as in `Definitions`.
    """
    settings = settings or load_settings()
    months = monthly_partitions(settings.first_month, settings.last_month)
    given: dict[str, Any] = {
        "lake": LakeResource(uri=settings.lake, grace_hours=settings.grace_hours),
        "spark": SparkResource(
            engine=settings.engine,
            memory_gb=settings.memory_gb,
            executors=settings.executors,
            executor_cores=settings.executor_cores,
            executor_memory_gb=settings.executor_memory_gb,
            driver_memory_gb=settings.driver_memory_gb,
            shuffle_partitions=settings.shuffle_partitions,
            worker_env=settings.worker_env,
            spark_config=dict(settings.spark_conf),
            on_s3=settings.lake.startswith(S3),
        ),
        "landing": LandingResource(
            uri=settings.landing,
            first_month=settings.first_month,
            last_month=settings.last_month,
            on_delete=settings.on_delete,
            confirm_remove=settings.confirm_remove,
        ),
        **(resources or {}),
    }
    # Whatever stands in for the lake or the session, the IO manager uses the same.
    given.setdefault(
        "io_manager",
        S3ParquetIOManager(
            lake=given["lake"], spark=given["spark"], preview_rows=settings.preview_rows
        ),
    )
    tags = {LAKE_TAG: settings.lake, ENGINE_TAG: settings.engine}
    upkeep = maintenance_job(tags)
    common = Common(
        months,
        settings.lake,
        settings.owner_list,
        settings.fresh_hours,
        settings.backfill_months,
    )
    return Definitions(
        assets=[
            *landing_assets(common, settings.landing),
            *raw_assets(common, settings.rejected_share, settings.preview_rows),
            *table_assets(common),
            release_asset(common),
            report_asset(
                common,
                all_questions,
                Limits(settings.query_memory_gb, settings.query_seconds),
                settings.preview_rows,
            ),
        ],
        asset_checks=[checks_of_plays(months, settings.match_drop)],
        jobs=[*all_jobs(tags), upkeep],
        schedules=[maintenance_daily(upkeep)],
        sensors=[
            new_files_sensor(REFRESH, settings.sqs_url, settings.sensor_seconds),
            *alert_sensors(settings),
        ],
        resources=given,
        executor=in_process_executor,
        loggers=loggers,
    )
