"""Telling people elsewhere that a run failed: what is said, and how it is sent.

The sensor in `sensors.alerts` does it for each failed run.
"""
