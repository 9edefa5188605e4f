"""Tests of `sparkify_assets.alerts`."""
