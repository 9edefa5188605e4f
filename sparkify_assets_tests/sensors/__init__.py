"""Tests of sparkify_assets.sensors."""
