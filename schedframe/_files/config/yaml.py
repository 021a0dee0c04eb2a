"""YAML 1.2, where ``1e-4`` is a number: nodes become plain data, and nothing else."""

import math
import warnings
from typing import Any

from schedframe._errors import Problem, dotted
from schedframe._files.config.parsed import (
    DEEPEST,
    LONGEST_NUMBER,
    MOST_VALUES,
    Broken,
    Parsed,
    refuse_long_keys,
    too_deep,
    too_large,
    too_many,
)

_CORE = "tag:yaml.org,2002:"
_TEXT = frozenset({f"{_CORE}str", f"{_CORE}timestamp"})


def parse(text: str) -> Parsed:
    """Read `text`; raise `Broken` if it is not YAML, or too large for a config."""
    parsed, root = Parsed(), _compose(text)
    if root is not None:
        parsed.data = _Builder(parsed).build(root, (), 0)
    return parsed


def _compose(text: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yaml = YAML(typ="safe", pure=True)
            yaml.Composer = _bounded(yaml.Composer)
            return yaml.compose(text)
    except Broken:
        raise
    except MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark is not None else None
        if error.problem == "but found another document":
            raise Broken("contains a second document; a config is a single document", line) from None
        raise Broken(f"is not complete YAML: {error.problem}", line) from None
    except RecursionError:
        raise too_deep() from None
    except Exception as error:
        raise Broken(f"is not complete YAML: {str(error).splitlines()[0]}") from None


def _bounded(composer: type[Any]) -> type[Any]:
    """Return a composer that stops at more values than a config can have, and at a directive of another version."""

    class Bounded(composer):  # type: ignore[misc]
        nodes = 0

        def compose_document(self) -> Any:
            version = self.parser.peek_event().version
            if version not in (None, (1, 2)):
                written = ".".join(map(str, version))
                raise Broken(f"declares YAML {written}, and a config is YAML 1.2: remove the line", self._line())
            return super().compose_document()

        def compose_node(self, parent: Any, index: Any) -> Any:
            self.nodes += 1
            if self.nodes > 2 * MOST_VALUES:
                raise too_many(self._line())
            return super().compose_node(parent, index)

        def _line(self) -> int:
            return int(self.parser.peek_event().start_mark.line) + 1

    return Bounded


class _Builder:
    """Builds plain data from nodes; aliases are copied, so that the result is a tree of bounded size."""

    def __init__(self, parsed: Parsed) -> None:
        self._parsed = parsed
        self._values = 0

    def build(self, node: Any, path: tuple[str, ...], depth: int) -> Any:
        line = node.start_mark.line + 1
        self._values += 1
        if depth > DEEPEST:
            raise too_deep(line)
        if self._values > MOST_VALUES:
            raise too_many(line)
        if node.id == "mapping" and node.tag == f"{_CORE}map":
            return self._table(node, path, depth)
        if node.id == "sequence" and node.tag == f"{_CORE}seq":
            return [self._item(item, (*path, str(index)), depth) for index, item in enumerate(node.value)]
        if node.id == "scalar" and node.tag in _TEXT:
            return node.value
        kind = node.tag.removeprefix(_CORE)
        message = f"has the tag {node.tag!r}; a config is plain data, without tags"
        if node.id == "scalar" and kind in _SCALARS:
            try:
                return _SCALARS[kind](node.value)
            except (ValueError, KeyError):
                message = f"is not a valid {kind}: {node.value[:40]!r}"
                if kind == "int" and len(node.value) > LONGEST_NUMBER:
                    message = too_large(LONGEST_NUMBER)
        refused = self._parsed.refuse(path, message, line)
        if node.tag.startswith("!"):
            self._parsed.foreign.append((dotted(path), self._parsed.problems[-1]))
        return refused

    def _item(self, node: Any, path: tuple[str, ...], depth: int) -> Any:
        self._parsed.lines.setdefault(dotted(path), node.start_mark.line + 1)
        return self.build(node, path, depth + 1)

    def _table(self, node: Any, path: tuple[str, ...], depth: int) -> dict[str, Any]:
        table: dict[str, Any] = {}
        merged: list[Any] = []
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            inner_path = (*path, str(key_node.value))
            inner = dotted(inner_path)
            if key_node.tag == f"{_CORE}merge":
                merged += value_node.value if value_node.id == "sequence" else [value_node]
                self._foreign(path, inner, "has a merge key '<<', which a config cannot have; write the keys out", line)
            elif key_node.tag not in _TEXT:
                written = repr(key_node.value) if key_node.id == "scalar" else f"a {key_node.id}"
                self._parsed.problems.append(
                    Problem(dotted(path), f"has a key that is not a string: {written}", line=line)
                )
            elif key_node.value in table:
                message = f"is given twice, first on line {self._parsed.lines[inner]}; keep one"
                self._foreign((inner,), inner, message, line)
            else:
                refuse_long_keys([key_node.value], line)
                self._parsed.lines[inner] = line
                table[key_node.value] = self.build(value_node, inner_path, depth + 1)
        for other in merged:
            self._merge(table, other, path, depth)
        return table

    def _merge(self, table: dict[str, Any], node: Any, path: tuple[str, ...], depth: int) -> None:
        """Add the keys of another table, which are those of a merge key, to `table` where it has none of the name."""
        if node.id != "mapping":
            self._parsed.problems.append(
                Problem(dotted(path), "has a merge key '<<' that is no table", line=node.start_mark.line + 1)
            )
            return
        before = dict(self._parsed.lines)
        for key, value in self.build(node, path, depth + 1).items():
            table.setdefault(key, value)
        self._parsed.lines.update(before)

    def _foreign(self, path: tuple[str, ...], place: str, message: str, line: int) -> None:
        problem = Problem(dotted(path), message, line=line)
        self._parsed.problems.append(problem)
        self._parsed.foreign.append((place, problem))


def _int(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ValueError
    digits = text.replace("_", "")
    for prefix, base in (("0o", 8), ("0x", 16), ("0b", 2)):
        if digits.lstrip("+-").startswith(prefix):
            return int(digits.replace(prefix, "", 1), base)
    return int(digits)


def _float(text: str) -> float:
    special = {".inf": math.inf, "+.inf": math.inf, "-.inf": -math.inf, ".nan": math.nan}
    return special.get(text.lower()) or float(text.replace("_", ""))


_SCALARS = {
    "null": lambda text: None,
    "bool": lambda text: {"true": True, "false": False}[text.lower()],
    "int": _int,
    "float": _float,
}
