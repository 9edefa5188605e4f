"""The lake: Parquet parts, committed by a Delta log, read as snapshots.

Parts are written by the engine's tasks (`parts`), a commit of the driver makes them visible
(`commit`), readers see one version of a table (`snapshot`) and `vacuum` removes what nobody can
need any more. What the tables mean, and when they are out of date, is not known here.
"""
