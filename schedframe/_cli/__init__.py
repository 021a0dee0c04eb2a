"""The command line, ``schedframe``; the extras ``cli``, ``design`` and ``plot`` install what it is built with."""

import errno
import gc
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from schedframe._cli.exit_codes import CANNOT_BE_USED, READER_IS_GONE, Findings

_EXTRA_OF = {
    **dict.fromkeys(("typer", "rich", "plotext"), "cli"),
    **dict.fromkeys(("starlette", "uvicorn", "wsproto"), "design"),
    "matplotlib": "plot",
    "numpy": "foresight",
}


def main() -> None:
    """Run the command line and exit with its code."""
    gc.set_threshold(1_000_000)  # a command is short-lived: garbage collection would take a tenth of its time
    os.environ.setdefault(
        "PYDANTIC_DISABLE_PLUGINS", "__all__"
    )  # the search for them reads all distributions' metadata
    try:
        code = _run()
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        code = _output_failed(error)
    except Exception as error:
        code = _failed(error)
    gc.freeze()  # the last garbage collection would visit every object of a process that exits
    sys.exit(code)


def dry_run(script: str, words: Sequence[str]) -> int:
    """Show the schedule that a Megatron-LM command line declares, and return the exit code.

    Args:
        script: the script that would run.
        words: what comes after it: Megatron's arguments.
    """
    try:
        from schedframe._cli.megatron import show

        code = show(script, words)
        sys.stdout.flush()
    except OSError as error:
        return _output_failed(error)
    except ImportError as error:
        return _failed(error)
    return code


def _run() -> Any:
    from schedframe._cli.app import app

    with suppress(AttributeError):
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        app(prog_name="schedframe")
    except Findings as findings:
        return findings.code
    except SystemExit as stop:
        if isinstance(stop.__context__, BrokenPipeError):
            return READER_IS_GONE
        return CANNOT_BE_USED if stop.code == 1 else stop.code  # of completion for a shell that typer does not know


def _failed(error: Exception) -> int:
    """Report what to install where a library of the extra is missing; anything else is a bug, and shown as one."""
    library = (error.name or "").partition(".")[0] if isinstance(error, ImportError) else ""
    if library in _EXTRA_OF:
        extra = f"'schedframe[{_EXTRA_OF[library]}]'"
        print(f"the command line needs {library}, which is not installed: pip install {extra}", file=sys.stderr)
        print(f"without installing it: uvx --from {extra} schedframe", file=sys.stderr)
    else:
        traceback.print_exception(error)
    return CANNOT_BE_USED


def _output_failed(error: OSError) -> int:
    """Report what is wrong, unless the reader just went away, and keep the interpreter from writing again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if error.errno == errno.EPIPE:
        return READER_IS_GONE
    print(f"schedframe: the output cannot be written: {error.strerror}", file=sys.stderr)
    return CANNOT_BE_USED
