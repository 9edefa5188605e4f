"""What `dagster dev` loads: the definitions for the settings of the environment.

They are put together in `composition`, which reads no setting by itself.
"""

from sparkify_assets.composition import build_defs

defs = build_defs()
