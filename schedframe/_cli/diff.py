"""``schedframe diff``: the keys and the curves in which two schedules differ."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from schedframe._cli.arguments import importing
from schedframe._cli.console import print_parts, table
from schedframe._cli.exit_codes import Findings
from schedframe._cli.opening import open_import
from schedframe._cli.output import print_json
from schedframe._cli.picture import write_picture
from schedframe._pictures.series import Named, picture_of
from schedframe._plan.summary import short, value_of_key
from schedframe._tools.comparison import Comparison, CurveDifference, KeyDifference, Place, read_both
from schedframe._tools.comparison import diff as compare
from schedframe._units.notation import rate, si

_CURVES = {"lr": "learning rate", "wd": "weight decay"}


@importing
def diff(
    a: Annotated[Path, typer.Argument(metavar="A", help="A schedule's file, or a checkpoint.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another schedule's file, or a checkpoint.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="PICTURE", help="Also draw both: .png, .svg or .pdf (extra: plot)."),
    ] = None,
    format: Annotated[
        Literal["text", "json", "markdown"],
        typer.Option(help="Output format; json has exact values, markdown is for a pull request."),
    ] = "text",
) -> None:
    """Compare two schedules.

    Shows the keys that differ, and for learning rate and weight decay of every role the first step at which the
    curves differ, where they are farthest apart, and the area between them.

    The exit code is 0 if the curves are equal everywhere, whatever the keys are, and 1 if they differ.

    Examples:
      schedframe diff run.yaml other.yaml
      schedframe diff run.yaml checkpoints
      schedframe diff run.yaml other.yaml -o both.png
      schedframe diff run.yaml other.yaml --format markdown
    """
    (first, *_), (second, *_) = sides = read_both(a, b, open_import)
    comparison = compare(first, second, (str(a), str(b)))
    notes = [side.note for side in sides if side.note]
    if output is not None:
        write_picture(output, picture_of([Named(str(a), first), Named(str(b), second)], title=""), "--output")
    if format == "json":
        print_json({**comparison.as_data(), "notes": notes})
    elif format == "markdown":
        typer.echo("\n".join([*_markdown(comparison), *notes]))
    else:
        _print(comparison)
        for note in notes:
            typer.echo(f"\nnote: {note}")
        if output is not None:
            typer.echo(f"\nwrote {output}")
    if comparison.differs:
        raise Findings


def _verdict(comparison: Comparison) -> str:
    if comparison.differs:
        return "the curves differ"
    count = len(comparison.keys)
    keys = (
        f"{count} key{'' if count == 1 else 's'} differ{'s' if count == 1 else ''}"
        if count
        else "the keys are equal too"
    )
    span = f"from {_position(comparison, comparison.begin)} to {_position(comparison, comparison.end)}"
    return f"the curves are equal {span}; {keys}"


def _print(comparison: Comparison) -> None:
    print_parts(f"{comparison.a}, {comparison.b}: {_verdict(comparison)}")
    if comparison.keys:
        grid = table("key", comparison.a, comparison.b)
        for key in comparison.keys:
            grid.add_row(key.key, *_cells(key))
        print_parts("", grid)
    if comparison.differs:
        for curve in comparison.curves:
            _print_curve(comparison, curve)
    for line in _alone(comparison):
        print_parts("", line)


def _print_curve(comparison: Comparison, curve: CurveDifference) -> None:
    if curve.first is None:
        print_parts("", f"{_name(curve)}: equal")
        return
    grid = table(_name(curve), "")
    for what, text in _facts(comparison, curve).items():
        grid.add_row(f"  {what}", text)
    print_parts("", grid)


def _name(curve: CurveDifference) -> str:
    return f"{_CURVES[curve.quantity]}, {curve.role}"


def _facts(comparison: Comparison, curve: CurveDifference) -> dict[str, str]:
    """Return the description of a curve that differs."""
    if curve.first is None or curve.largest is None:
        return {}
    gap = curve.largest
    change = f" ({100 * (gap.b - gap.a) / gap.a:+.3g} %)" if gap.a else ""
    share = "" if curve.area_share is None else f", {100 * curve.area_share:.3g} % of the area under {comparison.a}"
    return {
        "first difference at": _position(comparison, curve.first),
        "largest gap": rate(abs(gap.b - gap.a)),
        "  at": _position(comparison, gap.at),
        f"  {comparison.a}": rate(gap.a, 6),
        f"  {comparison.b}": f"{rate(gap.b, 6)}{change}",
        "area between": f"{rate(curve.area)} {_CURVES[curve.quantity]} * {comparison.unit}{share}",
    }


def _position(comparison: Comparison, place: Place) -> str:
    """Write a position in every known unit: exactly in that of the comparison, rounded in the others."""
    units = dict.fromkeys([comparison.unit, *place.a, *place.b])
    return ", ".join(text for unit in units for text in _amounts(comparison, place, unit))


def _amounts(comparison: Comparison, place: Place, unit: str) -> Iterator[str]:
    write = short if unit == comparison.unit else si
    amounts = {comparison.a: place.a.get(unit), comparison.b: place.b.get(unit)}
    texts = {name: write(amount) for name, amount in amounts.items() if amount is not None}
    if len(set(texts.values())) == 1:
        yield f"{next(iter(texts.values()))} {unit}"
    else:
        yield from (f"{text} {unit} of {name}" for name, text in texts.items())


def _cells(key: KeyDifference) -> tuple[str, str]:
    return _cell(key.a, key.value_a), _cell(key.b, key.value_b)


def _cell(written: Any, value: Any) -> str:
    """Write a key as it is written, and its value where that is another text."""
    text, resolved = (None if each is None else _text(each) for each in (written, value))
    if text is None:
        return "not given" if resolved is None else f"not given ({resolved})"
    return text if resolved in (None, text) else f"{text} ({resolved})"


def _text(value: Any) -> str:
    return f"[{', '.join(map(_text, value))}]" if isinstance(value, list) else value_of_key(value)


def _alone(comparison: Comparison) -> Iterator[str]:
    """Yield what only one of the two schedules has."""
    for name, roles in ((comparison.a, comparison.roles_of_a), (comparison.b, comparison.roles_of_b)):
        if roles:
            yield f"roles that only {name} has: {', '.join(roles)}"
    for name in comparison.unscheduled:
        yield f"weight decay is not scheduled in {name}"


def _markdown(comparison: Comparison) -> Iterator[str]:
    """Yield the lines of a report with tables, as GitHub renders them."""
    yield f"**`{comparison.a}`, `{comparison.b}`**: {_verdict(comparison)}"
    if comparison.keys:
        yield from ("", _row("key", f"`{comparison.a}`", f"`{comparison.b}`"), "|---|---|---|")
        yield from (_row(f"`{key.key}`", *_cells(key)) for key in comparison.keys)
    if comparison.differs:
        yield from (
            "",
            _row("curve", "first difference at", "largest gap", "at", "area between"),
            "|---|---|---|---|---|",
        )
        yield from (_markdown_row(comparison, curve) for curve in comparison.curves)
    for line in _alone(comparison):
        yield from ("", line)


def _markdown_row(comparison: Comparison, curve: CurveDifference) -> str:
    if curve.first is None or curve.largest is None:
        return _row(_name(curve), "equal", "", "", "")
    gap, share = curve.largest, curve.area_share
    size = f"{rate(abs(gap.b - gap.a))} ({rate(gap.a, 6)} and {rate(gap.b, 6)})"
    places = _position(comparison, curve.first), _position(comparison, gap.at)
    return _row(_name(curve), places[0], size, places[1], "" if share is None else f"{100 * share:.3g} %")


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
