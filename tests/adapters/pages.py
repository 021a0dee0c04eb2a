"""The scripts of pages, which need more than a page's own blocks may."""

import re
from pathlib import Path

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
_BLOCK = re.compile(r"<!-- (?:file|script): (\S+) -->\n```[^\n]*\n(.*?)\n```", re.DOTALL)


def write_scripts(page: Path, folder: Path) -> None:
    """Write what stands in `page` below ``<!-- script: NAME -->`` and ``<!-- file: NAME -->`` into `folder`."""
    for name, text in _BLOCK.findall(page.read_text()):
        (folder / name).write_text(text + "\n")
