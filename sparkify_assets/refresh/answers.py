"""Assets that come after all tables: by these names runs, jobs and sensors select them."""

from __future__ import annotations

# With each run: what was made becomes visible at once.
RELEASE = "release"
# Not with each run: it looks back on all months, and a run costs what is new.
LISTENING_REPORT = "listening_report"
