"""The tables' logic: pure functions from DataFrames to DataFrames, the same on every engine.

No function here reads, writes or knows a partition. What a rule means stands with the table in
`tables`; a change that gives other rows for the same input needs a new `code_version` there.
"""
