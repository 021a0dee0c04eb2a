"""``schedframe schema``: the JSON Schema of a config, for editors."""

from typing import Annotated

import typer

from schedframe._cli.arguments import importing
from schedframe._cli.exit_codes import Findings
from schedframe._cli.output import print_json
from schedframe._tools.schema import schema as make_schema


@importing
def schema(
    builtin: Annotated[
        bool,
        typer.Option(
            "--builtin", help="Only built-in styles, so that the schema does not depend on installed plugins."
        ),
    ] = False,
) -> None:
    """Print the JSON Schema (2020-12) of a config.

    It has every installed style with its options, so that an editor completes and checks them. A style that cannot be
    used is left out and reported, and the exit code is 1.

    Examples:
      schedframe schema > schedframe.schema.json
      schedframe schema --builtin > schedframe.schema.json
      schedframe schema --import ./my_styles.py > schedframe.schema.json
    """
    document, faults = make_schema(builtin=builtin)
    print_json(document)
    for fault in faults:
        typer.echo(fault, err=True)
    if faults:
        raise Findings
