"""Sparkify's song and log JSON as a lake of five Parquet tables, kept current by Dagster.

The rooms: `settings` (where things are), `tables` (each table declared once), `ingest` (landing
files to raw rows), `transforms` (pure DataFrame functions), `lake` (parts, commits, snapshots),
`assets`, `io_managers` and `resources` (what Dagster sees), `cli` (the command `sparkify`).
"""

from sparkify_assets.redaction import install

# Before any other package is loaded, so that none has logged or made up its mind.
install()
