"""Generated sample data with the habits of the real one: `write_sample` makes a landing zone.

`words` has the material, `catalogue` makes songs, `listeners` makes users and what they do,
`traps` are lines that a reader must survive, `files` writes it all.
"""

from sparkify_assets.sample.files import Sample, write_sample

__all__ = ["Sample", "write_sample"]
