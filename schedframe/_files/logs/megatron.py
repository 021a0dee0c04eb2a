"""Reads what Megatron-LM prints on standard output.

A line is ``iteration  100/ 1000 | consumed samples: 400 | ... | learning rate: 3.000000E-05 | global batch size: 4 |``,
behind whatever a launcher puts before it (``training_log`` of NVIDIA/Megatron-LM:megatron/training/training.py at
core_v0.19.2).
"""

import re
from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import BinaryIO, NamedTuple

from schedframe._files.logs.lines import blocks
from schedframe._files.logs.record import SPELLINGS, Columns, Progress, Record, columns_of

_START = re.compile(r"iteration +(\d{1,15})/ *\d+ \|")
_WORD = "iteration "
"""Every start has it."""

_END = "|"
"""Stands for the end of a line while fields are matched: no field begins in one line and ends in another."""

Labels = Mapping[str, str]
"""What stands before a number, as `` learning rate: ``, each with the name of the number."""


def read(file: BinaryIO, wanted: Collection[str], progress: Progress, iteration: Sequence[str]) -> Iterator[Columns]:
    """Yield the `wanted` numbers of every line that Megatron prints for an iteration.

    A number counts only with the bar behind it, so that a cut line has no cut number. Where the lines of two ranks are
    mixed, what follows the second start belongs to that.

    A run prints all its lines with the same fields, which one regular expression matches; a block with other lines is
    read line by line.
    """
    labels = {f" {spelling.replace('_', ' ')}: ": name for name in wanted for spelling in SPELLINGS.get(name, (name,))}
    fields: _Fields | None = None
    for block in blocks(file, progress):
        text = block.decode("ascii", "replace")
        columns = None if fields is None else fields.columns(text)
        if columns is None:
            fields = _fields_of(text, labels)
            columns = None if fields is None else fields.columns(text)
        if columns is not None:
            yield columns
        else:
            yield from columns_of(_records(text, labels), wanted)


def _records(text: str, labels: Labels) -> Iterator[Record]:
    """Yield what each iteration of `text` has, wherever it stands in its line."""
    here = {label: name for label, name in labels.items() if label in text}
    parts = _START.split(text)[1:] if here else []
    for iteration, behind in zip(parts[::2], parts[1::2], strict=True):
        line = behind.partition("\n")[0]
        numbers: dict[str, str | float] = {}
        for label, name in here.items():
            _, found, after = line.partition(label)
            value, bar, _ = after.partition(" |")
            if found and bar:
                numbers[name] = value
        if numbers:
            yield Record(int(iteration), numbers)


class _Fields(NamedTuple):
    """The fields of a line, in their order.

    Attributes:
        pattern: matches a whole line from its start on.
        names: of the numbers, in the order of the pattern's groups.
        words: how often `_WORD` is in such a line.
    """

    pattern: re.Pattern[str]
    names: list[str]
    words: int

    def columns(self, text: str) -> Columns | None:
        """Return what `text` has; ``None`` where an iteration in it has other fields."""
        found = self.pattern.findall(text.replace("\n", _END))
        starts_elsewhere = text.count(_WORD) != self.words * len(found)
        if not found or (starts_elsewhere and len(_START.findall(text)) != len(found)):
            return None
        iterations, *numbers = zip(*found, strict=True)
        return Columns(array("q", map(int, iterations)), dict(zip(self.names, numbers, strict=True)))


def _fields_of(text: str, labels: Labels) -> _Fields | None:
    """Return the fields of the first iteration of `text`; ``None`` where labels do not distinguish them."""
    start = _START.search(text)
    if start is None:
        return None
    line, newline, _ = text[start.start() :].partition("\n")
    _, *fields, end = line.split("|")
    known = [before + colon for before, colon, _ in (field.partition(": ") for field in fields)]
    if not newline or end.strip() or not all(label.startswith(" ") and label.endswith(": ") for label in known):
        return None
    parts = (
        rf"{re.escape(label)}([^|]*) \|" if label in labels else rf"{re.escape(_beginning(label, labels))}[^|]*\|"
        for label in known
    )
    pattern = re.compile(rf"{_START.pattern}{''.join(parts)}\r?{re.escape(_END)}")
    names = [labels[label] for label in known if label in labels]
    records = list(_records(line, labels))
    is_plain = bool(records) and sorted(names) == sorted(records[0].numbers)
    return _Fields(pattern, names, "".join([_WORD, *known]).count(_WORD)) if is_plain else None


def _beginning(label: str, labels: Labels) -> str:
    """Return as much of `label` as distinguishes it from all `labels`: to compare all of it would take longer."""
    longer = (label[:length] for length in range(2, len(label)))
    return next((part for part in longer if not any(other.startswith(part) for other in labels)), label)


def recognises(name: str, start: bytes, iteration: Sequence[str]) -> bool:
    """Return whether a log can be of this format: any text can."""
    return True
