"""Tests of `sparkify_assets.lake`."""
