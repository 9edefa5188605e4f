"""Tests of Dagster's UI in a real browser, each as a person does it: `make test-ui`.

`browser` is the system's Chromium, `stage` what it looks at, `pages` what a person does there.
"""
