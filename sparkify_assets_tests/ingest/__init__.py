"""Tests of `sparkify_assets.ingest`."""
