"""Tests of `sparkify_assets.jobs`."""
