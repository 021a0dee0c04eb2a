"""The page as a file: one text of HTML with its data, its script and its style, which requests nothing."""

import json
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any

_BUILT = files(__package__) / "built"

_HTML = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
style-src 'sha256-{style_digest}'; script-src 'sha256-{script_digest}'">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<div id="page"><noscript>The page needs JavaScript.</noscript></div>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def is_built() -> bool:
    """Whether the front end is there: always in a release, in a checkout after ``make frontend``."""
    return all((_BUILT / name).is_file() for name in ("page.js", "page.css"))


def page_of(data: Mapping[str, Any]) -> str:
    """Return the page that shows `data`, of `page_data`.

    No content of a file can end the element in which it stands: every ``<`` of the data is written as an escape of
    JSON. So is what is no ASCII, since a file's name may hold bytes that are no text. The page's own policy lets the
    browser run its script alone and request nothing.

    Raises:
        FileNotFoundError: the front end is not built.
    """
    # A text in HTML has no carriage returns: a browser reads line feeds instead, of which the digests are.
    script, style = ((_BUILT / name).read_text("utf-8").replace("\r\n", "\n") for name in ("page.js", "page.css"))
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return _HTML.format(
        title=escape(data["title"].encode(errors="replace").decode()),
        style=style,
        style_digest=_digest(style),
        script=script,
        script_digest=_digest(script),
        data=text.replace("<", "\\u003c"),
    )


def _digest(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode()
