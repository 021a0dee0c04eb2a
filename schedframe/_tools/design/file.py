"""The one file that is designed: what it declares, and saving it whole or not at all."""

import os
import re
from codecs import BOM_UTF8
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from schedframe._errors import ConfigError, Problem, SchedframeError
from schedframe._files.config.document import (
    LARGEST_FILE,
    Document,
    check_suffix,
    extended,
    parse_text,
    read_text,
    text_of,
)
from schedframe._files.config.dump import dump
from schedframe._files.write import write_new
from schedframe._reading import read_regular
from schedframe._schedule.schedule import declare
from schedframe._tools.examination import examine
from schedframe._tools.views.page.data import Shown, finding_data, page_data

_NEW = {
    "train_tokens": "300B",
    "seq_length": 4096,
    "global_batch_size": 1024,
    "max_lr": 3e-4,
    "min_lr": "10%",
    "lr_warmup_steps": "2000 iters",
    "lr_decay_style": {"style": "WSD", "wsd_decay_steps": "20%", "lr_wsd_decay_style": "minus_sqrt"},
    "start_wd": 0.1,
}
"""What a file begins with that does not exist."""

_LINE_ENDS = re.compile("\r\n?|\n")


class Kept(NamedTuple):
    """What stands on disk.

    Attributes:
        text: of the file; ``None`` where there is none.
        fingerprint: of its bytes; empty where there is none.
    """

    text: str | None
    fingerprint: str


class ChangedMeanwhileError(Exception):
    """The file is not the one that was edited; `kept` is what stands there now."""

    def __init__(self, kept: Kept) -> None:
        """Keep what stands on disk."""
        super().__init__("the file was changed on disk in the meantime")
        self.kept = kept


class DesignedFile:
    """A config file that is edited; its path, and the file that its text may extend, are fixed from the beginning.

    Attributes:
        path: the file, which need not exist.
    """

    def __init__(self, path: Path) -> None:
        """Take the file at `path`.

        Raises:
            ConfigError: its suffix is unknown, it cannot be read, or its folder does not exist.
        """
        check_suffix(path)
        if not path.parent.is_dir():
            raise ConfigError(str(path), [Problem("", f"cannot be written: there is no folder {path.parent}")])
        self.path = path
        self._may_extend = _extended(path) if path.exists() else frozenset()

    def beginning(self) -> dict[str, Any]:
        """Return what a page begins with: the text, what it is kept as, and what is to be known of it."""
        content = self._content()
        kept = _kept(content)
        mixed = "The file has mixed line endings; saving replaces them with line feeds."
        return {
            "name": self.path.name,
            "file": str(self.path),
            "language": self.path.suffix.lower().lstrip(".").replace("yml", "yaml"),
            "text": dump(_NEW, self.path) if kept.text is None else kept.text,
            "isNew": kept.text is None,
            "fingerprint": kept.fingerprint,
            "notes": [mixed] if len(set(_LINE_ENDS.findall(kept.text or ""))) > 1 else [],
        }

    def check(self, text: str, *, with_saved: bool) -> dict[str, Any]:
        """Return what `text` declares: the page of its curves, where they can be drawn, and what is wrong with it.

        Args:
            text: the file's text as it is edited.
            with_saved: the curves of the saved file are overlaid.
        """
        examined = examine(str(self.path), partial(self._read, text))
        page, notes = None, list(examined.notes)
        if examined.schedule is not None:
            page, faults = self._page(Shown(self.path.name, examined.schedule, text), with_saved)
            notes += faults
        return {
            "page": page,
            "summary": "" if examined.schedule is None else examined.schedule.summary(),
            "findings": [finding_data(finding) for finding in examined.findings],
            "notes": notes,
        }

    def save(self, text: str, fingerprint: str) -> str:
        """Write `text` whole or not at all, with the line ends of the file that is there, and return its fingerprint.

        The permissions stay; where the file is a symbolic link, its target is written.

        Args:
            text: the file's new text.
            fingerprint: that of the file that was edited.

        Raises:
            ChangedMeanwhileError: the file on disk is another one.
            ConfigError: it cannot be read or written.
        """
        content = self._content()
        kept = _kept(content)
        if kept.fingerprint != fingerprint:
            raise ChangedMeanwhileError(kept)
        written = text if content is None else _in_the_way_of(content, text)
        write_new(Path(os.path.realpath(self.path)), written, overwrite=content is not None)
        return _kept(written.encode()).fingerprint

    def _page(self, edited: Shown, with_saved: bool) -> tuple[dict[str, Any] | None, list[str]]:
        """Return the page of `edited`, where it can be drawn, and why it is not what was asked for."""
        faults: list[str] = []
        if with_saved:
            try:
                saved = Shown(f"{self.path.name} on disk", declare(self._read(text_of(self.path))))
                return page_data([edited, saved]), faults
            except (SchedframeError, ValueError) as error:
                faults.append(f"The file on disk is not overlaid: {error}")
        try:
            return page_data([edited]), faults
        except (SchedframeError, ValueError) as error:
            return None, [*faults, f"The curves cannot be drawn: {error}"]

    def _read(self, text: str) -> Document:
        return read_text(self.path, text, self._may_extend)

    def _content(self) -> bytes | None:
        """Return the bytes on disk, which are UTF-8; ``None`` where there is no file."""
        try:
            content = read_regular(self.path, LARGEST_FILE)
            content.decode()
            return content
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise ConfigError(str(self.path), [Problem("", f"is not UTF-8 text: {error.reason}")]) from None
        except OSError as error:
            raise ConfigError(str(self.path), [Problem("", f"cannot be read: {error.strerror}")]) from None


def _extended(path: Path) -> frozenset[Path]:
    """Return the file that the file at `path` extends, as far as it can be parsed."""
    text = text_of(path)
    try:
        target = extended(parse_text(path, text))
    except ConfigError:
        return frozenset()
    return frozenset(() if target is None else (target,))


def _kept(content: bytes | None) -> Kept:
    if content is None:
        return Kept(None, "")
    return Kept(content.decode("utf-8-sig"), sha256(content).hexdigest())


def _in_the_way_of(content: bytes, text: str) -> str:
    """Return `text` with the line ends of `content`, if all are equal there, and with its byte order mark."""
    ends = set(_LINE_ENDS.findall(content.decode()))
    end = ends.pop() if len(ends) == 1 else "\n"
    mark = "\ufeff" if content.startswith(BOM_UTF8) else ""
    return mark + _LINE_ENDS.sub(end, text)
