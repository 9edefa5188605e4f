"""The landing zone and the lake as Dagster resources."""

from typing import Any, Literal

from dagster import ConfigurableResource, InitResourceContext
from pydantic import Field

from sparkify_assets.ingest.landing import Landing, landing_at
from sparkify_assets.ingest.plan import Rules
from sparkify_assets.lake import checkpoint
from sparkify_assets.lake.lake import Lake
from sparkify_assets.lake.snapshot import Snapshot
from sparkify_assets.lake.vacuum import tidy
from sparkify_assets.partitions import current_month, months_between
from sparkify_assets.resources.run_check import check_run


class LandingResource(ConfigurableResource[Any]):
    """The landing zone, and the rules by which its files are taken in."""

    uri: str = Field(description="The folder with log_data/ and song_data/ in it.")
    first_month: str = Field(description="The first month, YYYY-MM.")
    last_month: str | None = Field(
        default=None, description="The last month, YYYY-MM; None is the current one."
    )
    on_delete: Literal["keep", "remove"] = Field(
        default="keep", description="What becomes of the rows of files that are gone."
    )
    confirm_remove: bool = Field(
        default=False, description="Remove rows also where more than a tenth of the files is gone."
    )

    def landing(self) -> Landing:
        """The landing zone."""
        return landing_at(self.uri)

    def rules(self, *, rebuild: bool = False) -> Rules:
        """How its files are taken in."""
        return Rules(
            months=frozenset(self.months()),
            on_delete=self.on_delete,
            confirm_remove=self.confirm_remove,
            rebuild=rebuild,
        )

    def months(self) -> list[str]:
        """The configured months."""
        return months_between(self.first_month, self.last_month or current_month())


class LakeResource(ConfigurableResource[Any]):
    """The lake."""

    uri: str = Field(description="The folder that holds one sub-folder per table.")

    grace_hours: int = Field(
        default=1, description="Hours that replaced files stay for readers under way."
    )

    def setup_for_execution(self, context: InitResourceContext) -> None:
        """Every run that makes a table has a lake: here it is looked at before its first step."""
        check_run(context)

    def tidy_now_and_then(self, snapshot: Snapshot) -> None:
        """After each tenth version, remove files of the table that were replaced long ago."""
        if snapshot.version % checkpoint.EVERY == 0:
            tidy(Lake.at(self.uri), snapshot.table, self.grace_hours)

    def lake(self) -> Lake:
        """The lake; its tables are made, empty, where they are not there yet."""
        lake = Lake.at(self.uri)
        lake.create_missing()
        return lake
