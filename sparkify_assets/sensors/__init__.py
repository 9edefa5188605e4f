"""Runs that start by themselves: `due` says what there is to do, `attempts` when to try again,
`notices` reads the bucket's notifications, `new_files` is the Dagster sensor over them.
"""
