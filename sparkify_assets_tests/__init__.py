"""The tests, in the same rooms as the code. `make test` runs them on every engine.

Without a mark a test runs on the embedded engine; `engines` marks those that Apache Spark has to
pass as well. Real input comes in through SPARKIFY_REAL_DATA.
"""
