"""The site as a reader has it: links, pages in a browser, search, narrow screens, light and dark."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, unquote, urldefrag, urljoin, urlsplit

import pytest

from schedframe import lr_styles, wd_styles
from schedframe._cli.app import COMMANDS
from schedframe.lint._engine import all_rules

from ..environments import ROOT
from .conftest import CONFIGURED

BY_SPHINX = {"genindex.html", "py-modindex.html", "search.html"}
"""Pages that are made for every site."""


class Page(HTMLParser):
    """The links of a page, what it loads, and the places in it that links lead to.

    Attributes:
        links: the addresses of ``a`` elements.
        loads: the addresses of pictures, scripts and style sheets.
        pictures: those of pictures alone.
        anchors: the values of ``id`` and ``name``.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.pictures: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value for name, value in attrs if value}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag in ("img", "script") and "src" in values:
            self.loads.append(values["src"])
            self.pictures += [values["src"]] if tag == "img" else []
        elif tag == "link" and values.get("rel") in ("stylesheet", "icon"):
            self.loads.append(values["href"])


@pytest.fixture(scope="module")
def parsed(site: Path, pages: list[str]) -> dict[str, Page]:
    """Every page, by its path."""
    return {page: Page((site / page).read_text("utf-8")) for page in pages}


def test_every_link_and_anchor_leads_somewhere(site: Path, parsed: dict[str, Page]) -> None:
    broken = []
    for name, page in parsed.items():
        for link in page.links:
            target, anchor = urldefrag(urljoin(f"/{name}", link))
            if urlsplit(target).netloc or link.startswith("mailto:"):
                continue
            path = unquote(urlsplit(target).path).lstrip("/") or "index.html"
            if not (site / path).is_file():
                broken.append(f"{name}: {link}")
            elif anchor and path in parsed and unquote(anchor) not in parsed[path].anchors:
                broken.append(f"{name}: {link} (there is no such place on the page)")
    assert broken == []


def test_a_page_loads_nothing_from_elsewhere(site: Path, parsed: dict[str, Page]) -> None:
    for name, page in parsed.items():
        for address in page.loads:
            assert not urlsplit(address).netloc, f"{name}: {address}"
            assert (site / urlsplit(urljoin(f"/{name}", address)).path.lstrip("/")).is_file(), f"{name}: {address}"


def test_every_page_is_reached_from_the_landing_page(parsed: dict[str, Page]) -> None:
    seen, ahead = set(), ["index.html"]
    while ahead:
        name = ahead.pop()
        if name not in seen and name in parsed:
            seen.add(name)
            ahead += [urlsplit(urljoin(f"/{name}", urldefrag(link)[0])).path.lstrip("/") for link in parsed[name].links]
    assert set(parsed) - seen == BY_SPHINX


def test_every_page_and_the_map_for_search_engines_have_the_address_of_the_site(site: Path, pages: list[str]) -> None:
    listed = set(re.findall(r"<loc>(.*?)</loc>", (site / "sitemap.xml").read_text("utf-8")))
    assert {f"{CONFIGURED}{page}" for page in pages if page not in BY_SPHINX} <= listed
    assert all(address.startswith(CONFIGURED) for address in listed)
    for page in set(pages) - BY_SPHINX:
        canonical = re.findall(r'<link rel="canonical" href="(.*?)"', (site / page).read_text("utf-8"))
        assert canonical == [f"{CONFIGURED}{page}"]


def test_the_address_is_that_of_the_package_unless_another_is_configured() -> None:
    pytest.importorskip("sphinx", reason="needs the dependency group docs: make docs")
    program = "import runpy; print(runpy.run_path('docs/conf.py')['html_baseurl'])"
    variables = {name: value for name, value in os.environ.items() if name != "SCHEDFRAME_DOCS_URL"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=variables, capture_output=True, text=True, check=True
    )
    assert f'Documentation = "{done.stdout.strip()}"' in (ROOT / "pyproject.toml").read_text("utf-8")


def visit(browser: Any, address: str, page: str, **options: Any) -> Iterator[tuple[Any, list[str]]]:
    """Open a page and yield it with the errors of its console and its failed or foreign requests."""
    context = browser.new_context(**options)
    opened, faults = context.new_page(), []
    opened.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("requestfailed", lambda request: faults.append(request.url) if not _left_early(request) else None)
    opened.on("response", lambda got: faults.append(f"{got.status} {got.url}") if got.status >= 400 else None)
    opened.on("request", lambda request: faults.append(request.url) if address not in request.url else None)
    opened.goto(f"{address}/{page}")
    yield opened, faults
    context.close()


def _left_early(request: Any) -> bool:
    """Return whether a request ended because the next page was opened."""
    return "ERR_ABORTED" in (request.failure or "")


def test_no_page_has_an_error_or_asks_another_host(chromium: Any, address: str, pages: list[str]) -> None:
    for opened, faults in visit(chromium, address, "index.html"):
        for page in pages:
            opened.goto(f"{address}/{page}")
            assert faults == [], page


def test_a_narrow_screen_does_not_scroll_sideways(chromium: Any, address: str, pages: list[str]) -> None:
    for opened, _ in visit(chromium, address, "index.html", viewport={"width": 375, "height": 800}):
        for page in pages:
            opened.goto(f"{address}/{page}")
            width = opened.evaluate("document.scrollingElement.scrollWidth")
            assert width <= 375, f"{page} is {width} pixels wide"


def test_a_picture_is_opaque_and_legible_and_so_the_same_in_both_modes(
    chromium: Any, address: str, parsed: dict[str, Page]
) -> None:
    pictures = {urljoin(f"/{name}", link) for name, page in parsed.items() for link in page.pictures}
    assert pictures
    for opened, _ in visit(chromium, address, "index.html"):
        for picture in sorted(pictures):
            seen = opened.evaluate(PIXELS, picture)
            assert seen["opaque"], f"{picture} lets the page through"
            assert seen["legible"] > 0.002, f"{picture}: nothing stands out from its background"


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_is_legible_in_both_modes(chromium: Any, address: str, mode: str) -> None:
    for opened, _ in visit(chromium, address, "reference/cli.html", color_scheme=mode):
        for part in ("article p", "article a.reference", "article pre", "article code"):
            text, behind = opened.locator(part).first.evaluate(COLOURS)
            assert contrast(text, behind) >= 4.5, f"{part}: {text} on {behind}"


PIXELS = """async address => {
  const picture = new Image();
  picture.src = address;
  await picture.decode();
  const canvas = new OffscreenCanvas(picture.naturalWidth, picture.naturalHeight);
  const pen = canvas.getContext("2d");
  pen.drawImage(picture, 0, 0);
  const { data } = pen.getImageData(0, 0, canvas.width, canvas.height);
  const linear = value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const luminance = at => 0.2126 * linear(data[at] / 255) + 0.7152 * linear(data[at + 1] / 255)
    + 0.0722 * linear(data[at + 2] / 255);
  const ground = luminance(4 * (2 * canvas.width + 2));
  let opaque = true, legible = 0;
  for (let at = 0; at < data.length; at += 4) {
    const [x, y] = [at / 4 % canvas.width, Math.floor(at / 4 / canvas.width)];
    const inside = x > 0 && y > 0 && x < canvas.width - 1 && y < canvas.height - 1;
    opaque &&= data[at + 3] === 255 || !inside;
    const here = luminance(at);
    legible += (Math.max(here, ground) + 0.05) / (Math.min(here, ground) + 0.05) >= 4.5;
  }
  return { opaque, legible: legible / (data.length / 4) };
}"""
"""Returns whether a picture is opaque, and the share of its pixels that have a contrast of 4.5 to its corner.

The outermost pixels of a vector graphic whose size is no whole number are partly covered.
"""

COLOURS = """element => {
  const text = getComputedStyle(element).color;
  let behind = "rgba(0, 0, 0, 0)";
  for (let at = element; at && behind === "rgba(0, 0, 0, 0)"; at = at.parentElement)
    behind = getComputedStyle(at).backgroundColor;
  return [text, behind].map(colour => colour.match(/[\\d.]+/g).slice(0, 3).map(Number));
}"""
"""Returns the colours of an element's text and of what is behind it, 0 to 255."""


def contrast(one: list[float], other: list[float]) -> float:
    """Return the contrast of two colours, by WCAG 2.2."""
    darker, lighter = sorted(_luminance(colour) for colour in (one, other))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: list[float]) -> float:
    red, green, blue = (_linear(value / 255) for value in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def found(page: Any, query: str) -> list[str]:
    """Type a query into the site's field for searches, and return the paths of the pages that it finds, best first."""
    page.fill(".sidebar-search", query)
    page.press(".sidebar-search", "Enter")
    page.wait_for_url(f"**/search.html?q={quote_plus(query)}*")
    summary = page.locator("#search-results .search-summary")
    page.wait_for_function("document.querySelector('.search-summary')?.textContent.match(/found|did not match/)")
    links = page.locator("#search-results ul.search li > a")
    hits = links.evaluate_all("links => links.map(link => link.getAttribute('href').split('#')[0])")
    assert bool(hits) == ("found" in summary.inner_text()), query
    return list(dict.fromkeys(hits))


def test_search_finds_every_command_style_and_rule(chromium: Any, address: str) -> None:
    wanted = {f"schedframe {command}": ("reference/cli.html",) for command in COMMANDS}
    wanted |= {code: ("reference/rules.html",) for code, (_, plugin) in all_rules().items() if not plugin}
    wanted |= {
        name: ("reference/styles.html", "api/styles.html")
        for styles in (lr_styles, wd_styles)
        for name in styles.builtins
    }
    missing = {}
    for opened, _ in visit(chromium, address, "search.html"):
        for query, places in wanted.items():
            hits = found(opened, query)[:10]
            if not any(hit in places for hit in hits):
                missing[query] = hits
    assert missing == {}
