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
<meta http-equiv="Content-Security-Policy" content="{policy}">
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
    return all((_BUILT / f"{name}.{kind}").is_file() for name in ("page", "design") for kind in ("js", "css"))


def page_of(data: Mapping[str, Any]) -> str:
    """Return the page that shows `data`, of `page_data`.

    The page's own policy lets the browser run its script alone and request nothing.

    Raises:
        FileNotFoundError: the front end is not built.
    """
    page, _ = _html("page", data["title"], data)
    return page


def design_page_of(data: Mapping[str, Any], nonce: str) -> tuple[str, str]:
    """Return the page that edits a file, with `data` of the designer, and its policy for a response's header.

    The policy lets the browser run the page's script alone, and send requests to the server of the page alone.

    Args:
        data: what the page begins with.
        nonce: allows the styles that the editor makes; another one in each page, and in `data`.

    Raises:
        FileNotFoundError: the front end is not built.
    """
    also = "; connect-src 'self'; base-uri 'none'; form-action 'none'"
    return _html("design", data["name"], data, f" 'nonce-{nonce}'", also)


def _html(name: str, title: str, data: Mapping[str, Any], styles: str = "", also: str = "") -> tuple[str, str]:
    """Return the page of the script `name`, and its policy.

    No content of a file can end the element in which it stands: every ``<`` of the data is written as an escape of
    JSON. So is what is no ASCII, since a file's name may hold bytes that are no text.
    """
    # A text in HTML has no carriage returns: a browser reads line feeds instead, of which the digests are.
    script, style = ((_BUILT / f"{name}.{kind}").read_text("utf-8").replace("\r\n", "\n") for kind in ("js", "css"))
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    policy = "default-src 'none'; img-src data:; "
    policy += f"style-src '{_digest(style)}'{styles}; script-src '{_digest(script)}'{also}"
    page = _HTML.format(
        title=escape(title.encode(errors="replace").decode()),
        style=style,
        policy=policy,
        script=script,
        data=text.replace("<", "\\u003c"),
    )
    return page, policy


def _digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
