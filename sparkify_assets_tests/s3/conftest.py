"""Fixtures of the tests with S3 servers."""

from sparkify_assets_tests.s3.secret_run import source  # noqa: F401 -- a fixture
