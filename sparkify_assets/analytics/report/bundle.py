"""The JavaScript that draws the charts: Vega, Vega-Lite and Vega-Embed, as text for the page."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache

_SNIPPET = "window.vegaEmbed = vegaEmbed;"


@dataclass(frozen=True)
class Script:
    """An inline script; `source` is how a Content-Security-Policy names exactly this text."""

    text: str
    source: str


def script(text: str) -> Script:
    """A script that can stand within HTML."""
    # A browser reads line ends so before it makes the hash, and ends a script at such a tag.
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.replace("</script", "<\\/script").replace("<!--", "<\\!--")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Script(text, f"'sha256-{digest}'")


@cache
def vega_bundle() -> Script:
    """All three libraries; about a second of work, once a process."""
    import vl_convert

    return script(vl_convert.javascript_bundle(_SNIPPET))
