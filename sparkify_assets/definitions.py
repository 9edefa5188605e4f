"""What `dagster dev` loads: the definitions for the settings of the environment.

They are put together in `composition`, which reads no setting by itself.
"""

from sparkify_assets.composition import build_defs
from sparkify_assets.settings import load_settings
from sparkify_assets.storage.access import s3_access

_settings = load_settings()

# For assets of your own beside these; dagster-aws takes seconds to import, so only where S3 is.
_s3 = {"s3": s3_access().dagster_resource()} if _settings.on_s3 else {}

defs = build_defs(_settings, resources=_s3)
