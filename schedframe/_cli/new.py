"""``schedframe new``: a plugin to begin with."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

EPILOG = """\b
Examples:
  schedframe new late-cosine
  schedframe new late-decay --kind wd --license MIT
  schedframe new our-rules --kind hook --author "The cluster team"
"""


class Kind(str, Enum):
    """What the plugin adds."""

    lr = "lr"
    wd = "wd"
    hook = "hook"


class License(str, Enum):
    """What others may do with it."""

    apache = "Apache-2.0"
    mit = "MIT"
    bsd = "BSD-3-Clause"


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the style, in kebab-case; schedframe-NAME is made.")],
    kind: Annotated[Kind, typer.Option(help="A learning-rate style, a weight-decay style, or hooks.")] = Kind.lr,
    license: Annotated[License, typer.Option(help="Its license.")] = License.apache,
    author: Annotated[str, typer.Option(metavar="NAME", help="Whose it is.")] = "its authors",
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where it is made.", show_default=False)
    ] = Path(),
) -> None:
    """Begin a plugin that passes its own tests.

    It is a complete distribution: a pyproject.toml with the entry point, one module with a formula to be
    replaced, a README, tests by the conformance kit, and a license.
    """
    from schedframe._cli.starter import Starter, start

    made = start(Starter(name, kind.value, license.value, author), output)
    typer.echo(f"{made}")
    for path in sorted(str(file.relative_to(made)) for file in made.rglob("*") if file.is_file()):
        typer.echo(f"  {path}")
    conform = "" if kind is Kind.hook else f" && schedframe conform {name}{' --kind wd' if kind is Kind.wd else ''}"
    typer.echo(f"\nnext: cd {made} && pip install -e '.[test]' && pytest{conform}")
