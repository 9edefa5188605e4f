"""Dagster jobs beside the one over all assets, each in a module of its own."""
