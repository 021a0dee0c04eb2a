"""A schedule that goes on from another one, and the file that says it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from schedframe._files.config.document import Document, from_text
from schedframe._files.rewrite.rewrite import rewritten
from schedframe._files.write import write_new
from schedframe._plan.plan import Parent
from schedframe._run.policy import Resume
from schedframe._schedule.schedule import Schedule
from schedframe._units.lengths import compact
from schedframe.styles._base import Style

_LENGTHS = frozenset(
    ("lr_decay_steps", "lr_warmup_steps", "start_step", "step", "train_samples", "wd_incr_steps", "wsd_decay_steps")
)


@dataclass(frozen=True)
class Continuation:
    """A schedule that goes on from its parent, and the seam between the two.

    Attributes:
        operation: ``"branch"``, ``"extend"`` or ``"rewarm"``.
        parent: the schedule that is left.
        schedule: the one that goes on.
        step: the scheduler's count at the seam.
        lr_before: the parent's learning rate at the seam.
        wd_before: the parent's weight decay at the seam; ``None`` where it is left alone.
        changes: the parent's config keys that are not the same any more, `REMOVED` where they are gone.
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
        """The learning rate of `schedule` at the seam."""
        return self.schedule.lr_at(self.step)

    @cached_property
    def wd_after(self) -> float | None:
        """The weight decay of `schedule` at the seam; ``None`` where it is left alone."""
        return self.schedule.wd_at(self.step)

    def write(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write `schedule` as a config file, whole or not at all; the parent's file is never touched.

        It is the parent's file with the keys that changed, and with all its comments.

        Args:
            path: the new file, of the same format as the parent's; of a parent that is from no file, YAML.
            overwrite: replace the file at `path`, unless it is the parent's.

        Raises:
            ConfigError: the file is there already, is the parent's, or cannot be written.
        """
        path = Path(path)
        document = document_of(self.parent)
        heading = [f"schedframe {self.operation} of {document.path.name} at step {spelled('step', self.step)}"]
        text = rewritten(document, self.changes, heading=heading, suffix=path.suffix)
        write_new(path, text, overwrite=overwrite, never=[document.path])


def document_of(schedule: Schedule) -> Document:
    """Return the file that `schedule` was loaded from; of one that is from no file, one that says the same."""
    if schedule.origin.document is not None:
        return schedule.origin.document
    if schedule.groups:  # what rules make of a percentage is another number
        said = plain(schedule.origin.given)
    else:
        fields = type(schedule).model_fields
        said = {key: plain(getattr(schedule, key)) for key in fields if getattr(schedule, key) != fields[key].default}
    lines = [f"{key}: {json.dumps(value, default=str)}\n" for key, value in said.items()]
    return from_text(Path("schedule.yaml"), "".join(lines))


def plain(value: Any) -> Any:
    """`value` as a config says it: a style without options is its name."""
    if isinstance(value, Style):
        table = {name: plain(getattr(value, name)) for name in type(value).model_fields}
        return table if len(table) > 1 else value.style
    if isinstance(value, Resume | Parent):
        return asdict(value)
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def spelled(key: str, value: Any) -> Any:
    """`value` with its lengths as a person writes them."""
    if isinstance(value, Mapping):
        return {inner: spelled(inner, said) for inner, said in value.items()}
    return compact(value) if key in _LENGTHS and isinstance(value, int | float) and value >= 1_000_000 else value
