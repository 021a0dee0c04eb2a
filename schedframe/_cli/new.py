"""``schedframe new``: a plugin to begin with."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from schedframe._cli.starter import Starter, start


def new(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of the style, in kebab-case; writes schedframe-NAME.")
    ],
    kind: Annotated[
        Literal["lr", "wd", "hook"], typer.Option(help="A learning-rate style, a weight-decay style, or hooks.")
    ] = "lr",
    license: Annotated[Literal["Apache-2.0", "MIT", "BSD-3-Clause"], typer.Option(help="License.")] = "Apache-2.0",
    author: Annotated[str, typer.Option(metavar="NAME", help="Author.")] = "its authors",
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Output directory.", show_default=False)
    ] = Path(),
) -> None:
    """Create a plugin that passes its own tests.

    It is a complete distribution: a pyproject.toml with the entry point, one module with a formula to be
    replaced, a README, tests by the conformance kit, and a license.

    Examples:
      schedframe new late-cosine
      schedframe new late-decay --kind wd --license MIT
      schedframe new our-rules --kind hook --author "The cluster team"
    """
    folder = start(Starter(name, kind, license, author), output)
    typer.echo(f"{folder}")
    for path in sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()):
        typer.echo(f"  {path}")
    conform = "" if kind == "hook" else f" && schedframe conform {name}{' --kind wd' if kind == 'wd' else ''}"
    typer.echo(f"\nnext: cd {folder} && pip install -e '.[test]' && pytest{conform}")
