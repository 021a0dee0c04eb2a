"""Takes the screenshots of the page on seeing a schedule: ``python docs/make_screenshots.py``.

It needs Playwright and an installed Chromium, and the front end (``make frontend``).
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from make_pictures import PICTURES, write_files
from PIL import Image
from playwright.sync_api import sync_playwright

SIZE = {"width": 1100, "height": 860}

COLOURS = 96
"""So many are enough for a small file that looks the same."""


def main() -> None:
    """Draw the page of ``run.yaml``, and write it light and dark."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        raise SystemExit("no Chromium is installed: apt-get install chromium")
    as_root = ["--no-sandbox"] if hasattr(os, "getuid") and os.getuid() == 0 else []
    with TemporaryDirectory() as folder, sync_playwright() as driver:
        write_files(Path(folder))
        plot = [sys.executable, "-m", "schedframe", "plot", "run.yaml", "-o", "run.html"]
        subprocess.run(plot, cwd=folder, check=True)  # noqa: S603
        browser = driver.chromium.launch(executable_path=program, args=as_root)
        for scheme in ("light", "dark"):
            page = browser.new_context(color_scheme=scheme, viewport=SIZE, offline=True).new_page()
            page.goto(Path(folder, "run.html").as_uri())
            over = page.locator(".u-over").first
            over.hover(position={"x": 0.9 * over.bounding_box()["width"], "y": 60})
            target = PICTURES / f"page-{scheme}.png"
            page.screenshot(path=target)
            Image.open(target).quantize(COLOURS).save(target, optimize=True)
            print("wrote", target, target.stat().st_size)
        browser.close()


if __name__ == "__main__":
    main()
