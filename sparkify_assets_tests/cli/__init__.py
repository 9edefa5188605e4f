"""Tests of `sparkify_assets.cli`."""
