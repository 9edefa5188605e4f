"""Checks: each passes on what is right, and fails on what was broken on purpose."""
