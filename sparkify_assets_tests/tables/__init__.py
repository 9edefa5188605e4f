"""Tests of `sparkify_assets.tables`."""
