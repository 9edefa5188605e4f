"""Upkeep of the lake: what many small runs leave behind is put together, what is dead is removed.

`compact` rewrites small raw parts, `dead` removes raw rows that the ledger does not name, and
`maintain` does everything in order and tells what it did. Nothing here is needed for a right
result, and a maintenance that is killed at any moment leaves nothing to repair.
"""
