"""Tests of `sparkify_assets.refresh`."""
