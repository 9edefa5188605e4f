"""From the landing zone to raw rows, with an account of every line.

`landing` lists and reads files, `ledger` knows what is in, `plan` compares the two, `task` is what
the engine's tasks do with their files (`lines`, `parse`, `repair`), `ingest` runs it all and
commits, `raw` reads the rows that count.
"""
