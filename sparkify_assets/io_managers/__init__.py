"""How assets reach storage: the IO manager between Dagster and the lake."""

from sparkify_assets.io_managers.s3_parquet import S3ParquetIOManager

__all__ = ["S3ParquetIOManager"]
