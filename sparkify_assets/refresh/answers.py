"""Assets that come after all tables: by these names runs, jobs and sensors select them."""

from __future__ import annotations

RELEASE = "release"
LISTENING_REPORT = "listening_report"

# What was made becomes visible at once, and then is told.
AFTER_THE_TABLES = (RELEASE, LISTENING_REPORT)
