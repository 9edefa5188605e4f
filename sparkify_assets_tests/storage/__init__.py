"""Tests of `sparkify_assets.storage`."""
