"""A schedule that continues another one, and its config file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from schedframe._files.config.document import EXTENDS, name_from
from schedframe._files.config.dump import dump
from schedframe._files.write import write_new
from schedframe._schedule.schedule import Schedule
from schedframe._schedule.written import plain
from schedframe._units.lengths import compact


@dataclass(frozen=True)
class Continuation:
    """A schedule that continues its parent, and the branch point between the two.

    Attributes:
        operation: ``"branch"``, ``"extend"`` or ``"rewarm"``.
        parent: the schedule that is left.
        schedule: the one that continues it.
        step: the scheduler's count at the branch point.
        lr_before: the parent's learning rate there.
        wd_before: the parent's weight decay there; ``None`` where it is not scheduled.
        changes: the config keys that change, ``None`` where the parent's key is dropped.
    """

    operation: str
    parent: Schedule
    schedule: Schedule
    step: float
    lr_before: float
    wd_before: float | None
    changes: Mapping[str, Any]

    @cached_property
    def lr_after(self) -> float:
        """The learning rate of `schedule` at the branch point."""
        return self.schedule.lr_at(self.step)

    @cached_property
    def wd_after(self) -> float | None:
        """The weight decay of `schedule` at the branch point; ``None`` where it is not scheduled."""
        return self.schedule.wd_at(self.step)

    @cached_property
    def replaced(self) -> Mapping[str, Any]:
        """What the parent's config has for each key of `changes`, as it was given; ``None`` where it has none."""
        given = self.parent.to_dict()
        return {key: given.get(key) for key in self.changes}

    def write(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write `schedule` as a config file, whole or not at all; the parent's file is never changed.

        The file extends the parent's, and has the keys that change; of a parent that is not from a file, it has all
        keys. In TOML, which has no null, a key that is taken away is written with the value that it comes to.

        Args:
            path: the new file: YAML, TOML or JSON, by its suffix.
            overwrite: replace the file at `path`, unless it is the parent's.

        Raises:
            ConfigError: the file exists already, is the parent's or one that it extends, or cannot be written.
        """
        path = Path(path)
        document = self.parent.origin.document
        sources: tuple[Path, ...] = ()
        if document is None:
            merged = {**self.parent.to_dict(), **self.changes}
            keys = {key: value for key, value in merged.items() if value is not None}
        else:
            keys = {EXTENDS: name_from(path.parent, document.path), **self.changes}
            sources = (document.path, *document.extends)
        if path.suffix.lower() == ".toml":
            taken_away = [key for key, value in keys.items() if value is None]
            keys |= {key: plain(getattr(self.schedule, key, None)) for key in taken_away}
        write_new(path, dump(keys, path, comments=list(self._comments())), overwrite=overwrite, never=sources)

    def _comments(self) -> Iterator[str]:
        document = self.parent.origin.document
        parent = "a schedule" if document is None else document.path.name
        yield f"schedframe {self.operation} of {parent} at step {_short(self.step)}"
        yield f"learning rate {self.lr_before} before, {self.lr_after} after"
        if self.wd_before is not None or self.wd_after is not None:
            yield f"weight decay {self.wd_before} before, {self.wd_after} after"


def _short(step: float) -> float | str:
    """Return `step` as a person writes it in a config."""
    return compact(step) if step >= 1_000_000 else step
