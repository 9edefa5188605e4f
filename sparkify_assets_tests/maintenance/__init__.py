"""Tests of `sparkify_assets.maintenance`."""
