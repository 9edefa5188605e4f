"""Tests of `sparkify_assets.transforms`."""
