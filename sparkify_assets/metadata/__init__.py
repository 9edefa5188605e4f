"""What the assets tell about themselves in Dagster: `definition` before any run, `found` after each
materialization, with `markdown` tables and `plots`.
"""
