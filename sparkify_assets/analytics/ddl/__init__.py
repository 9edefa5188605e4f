"""Statements that make the public tables known to another tool: Athena, Trino, Redshift, …

A module per tool, each as the tool's documentation has it (docs/analytics.md names the pages). What
was run: Spark's on the embedded engine, and DuckDB's with a stand-in for `delta_scan`, as the
extension that has it is installed by whoever uses it. Athena's, Trino's and Redshift's were parsed
and not run: there was no account or server to run them.

A tool that reads the Delta log sees the newest version of each table, and its descriptions with it.
None of the statements writes below the lake.
"""
