"""Apache Spark's way to S3: Hadoop's S3A, its packages and settings.

Only names and addresses stand here: PySpark passes settings to Java as arguments of a process,
which everybody on the machine can read. Java finds the credentials by the standard AWS chain, in
the environment that it inherits.
"""

from __future__ import annotations

import re
from pathlib import Path

from sparkify_assets.errors import EngineError
from sparkify_assets.storage.access import S3Access

_SDK = "2.35.4"
_GROUP = "software.amazon.awssdk"
# The SDK comes as a bundle of 686 MB; S3A works with these of its modules, 12 MB with what they
# need. Without s3-transfer-manager it does not start; sts is for roles by web identity.
_MODULES = ("s3-transfer-manager", "sts")
# Not needed, or among Spark's own jars.
_EXCLUDED = (
    f"{_GROUP}:bundle", f"{_GROUP}:netty-nio-client", "io.netty:*", "org.slf4j:*",
    "commons-logging:*", "commons-codec:*", "org.apache.httpcomponents:*", "org.wildfly.openssl:*",
)  # fmt: skip


def s3a_settings(access: S3Access) -> dict[str, str]:
    """Settings of a Spark session with S3; the packages are resolved when Java starts."""
    packages = [f"org.apache.hadoop:hadoop-aws:{hadoop_version()}"]
    packages += [f"{_GROUP}:{module}:{_SDK}" for module in _MODULES]
    settings = {
        "spark.jars.packages": ",".join(packages),
        "spark.jars.excludes": ",".join(_EXCLUDED),
        f"{_S3A}.endpoint.region": access.region,
        f"{_S3A}.path.style.access": str(access.path_style).lower(),
        f"{_S3A}.aws.credentials.provider": f"{_GROUP}.auth.credentials.DefaultCredentialsProvider",
        # Whatever does not answer is told within half a minute. Hadoop takes no less than 15 s.
        f"{_S3A}.connection.establish.timeout": "15s",
        f"{_S3A}.connection.timeout": "15s",
        f"{_S3A}.connection.request.timeout": "20s",
        f"{_S3A}.attempts.maximum": "3",
        f"{_S3A}.retry.limit": "0",
        f"{_S3A}.retry.throttle.limit": "2",
    }
    if access.endpoint:
        settings[f"{_S3A}.endpoint"] = access.endpoint
    return settings


_S3A = "spark.hadoop.fs.s3a"


def hadoop_version() -> str:
    """The version of the Hadoop client that PySpark brings; hadoop-aws has to be the same."""
    import pyspark

    jars = Path(pyspark.__file__).parent / "jars"
    found = [
        match.group(1)
        for jar in jars.glob("hadoop-client-api-*.jar")
        if (match := re.fullmatch(r"hadoop-client-api-(\d[\w.+-]*)\.jar", jar.name))
    ]
    if len(found) != 1:
        raise EngineError(
            f"PySpark's Hadoop client cannot be found in {jars} ({found or 'nothing'}); install "
            "pyspark from its wheel, or set spark.jars.packages in SPARKIFY_SPARK_CONF"
        )
    return found[0]
