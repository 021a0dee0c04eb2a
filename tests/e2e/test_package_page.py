"""The README as the page of the package: the metadata of the built wheel, rendered as the package index renders it."""

import re
import warnings
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from zipfile import ZipFile

import pytest

from ..environments import ROOT, Environment

README = (ROOT / "README.md").read_text(encoding="utf-8")
REPOSITORY = "https://github.com/schedframe/schedframe"
RAW = "https://github.com/schedframe/schedframe/raw/HEAD"
SITE = "https://schedframe.readthedocs.io/en/latest"
LINKS = sorted(set(re.findall(r"\]\(([^)\s]+)\)", README)))


@pytest.fixture(scope="module")
def metadata(tmp_path_factory: pytest.TempPathFactory) -> Message:
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    (wheel,) = Environment(folder / "environment").build(folder, ROOT)
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name))


@pytest.fixture(scope="module")
def page(metadata: Message) -> str:
    """The description as HTML."""
    pytest.importorskip("comrak", reason="needs readme-renderer[md]")
    from readme_renderer import markdown

    assert metadata["Description-Content-Type"] == "text/markdown"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        html = markdown.render(metadata.get_payload(decode=True).decode("utf-8"))
    assert html is not None
    return html


def in_the_checkout(link: str) -> list[Path]:
    """Return the files of which one must be there for `link`; none for a link to another place."""
    if link.startswith(f"{SITE}/"):
        name = link.removeprefix(f"{SITE}/").removesuffix(".html")
        return [ROOT / "docs" / f"{name}.md", ROOT / "docs" / f"{name}.rst"]
    for start in (RAW, f"{REPOSITORY}/blob/HEAD", f"{REPOSITORY}/tree/HEAD"):
        if link.startswith(f"{start}/"):
            return [ROOT / link.removeprefix(f"{start}/")]
    return []


@pytest.mark.parametrize("link", LINKS)
def test_every_link_is_absolute_and_leads_to_a_file_of_the_checkout(link: str) -> None:
    assert any(path.exists() for path in in_the_checkout(link))


def test_the_page_has_the_picture(page: str) -> None:
    assert f'src="{RAW}/docs/pictures/wsd.svg"' in page


def test_the_page_has_every_link(page: str) -> None:
    assert [link for link in LINKS if f'"{link}"' not in page] == []


def test_the_page_has_every_block_and_the_table(page: str) -> None:
    assert (page.count("<pre"), page.count("<table>")) == (README.count("\n```\n"), 1)


def test_the_page_has_no_marks_of_blocks(page: str) -> None:
    assert "file: run.yaml" not in page


def test_a_plain_install_has_neither_torch_nor_the_command_line(metadata: Message) -> None:
    always = [line for line in metadata.get_all("Requires-Dist") if "extra ==" not in line]
    assert {re.match(r"[\w-]+", line)[0] for line in always}.isdisjoint({"torch", "typer", "rich", "plotext"})
