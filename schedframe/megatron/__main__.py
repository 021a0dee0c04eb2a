"""``python -m schedframe.megatron pretrain_gpt.py ...``: Megatron-LM's own script with schedframe's schedules."""

import argparse
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import fill
from typing import Any

from schedframe._cli import dry_run
from schedframe._errors import SchedframeError
from schedframe._plugins.imports import import_styles
from schedframe.megatron._launch.install import install
from schedframe.styles._installed import lr_styles, wd_styles

_DASHES = "\0--"
_EPILOG = """\
Megatron's --lr-decay-style, --lr-wsd-decay-style and --weight-decay-incr-style take every installed style:
{styles}

More flags:
  --lr-decay-style-options TABLE          its options, such as '{{beta: 0.5}}'
  --lr-wsd-decay-style-options TABLE      those of the cooldown of WSD
  --weight-decay-incr-style-options TABLE those of the weight-decay style
  --schedule FILE                         a schedule file; it supplies everything that no flag gives
  --no-verify-ranks                       do not compare the schedules of all ranks at the start

examples:
  python -m schedframe.megatron pretrain_gpt.py --lr-decay-style rex ...
  python -m schedframe.megatron pretrain_gpt.py --schedule run.yaml ...
  python -m schedframe.megatron --dry-run pretrain_gpt.py --schedule run.yaml ...
  python -m schedframe.megatron --import my_styles.py pretrain_gpt.py --lr-decay-style mine ...
  torchrun --nproc-per-node 8 -m schedframe.megatron pretrain_gpt.py --schedule run.yaml ...
"""


def main() -> None:
    """Run a script of Megatron-LM; exit with 2 and a message where its schedule cannot be used."""
    try:
        _launch()
    except SchedframeError as error:
        _fail(str(error))


def _launch() -> None:
    args = parse(sys.argv[1:])
    if not Path(args.script).is_file():
        _fail(f"there is no script {args.script}")
    sys.argv = [args.script, *args.arguments]
    if not getattr(sys.flags, "safe_path", False):
        del sys.path[0]  # python -m puts the working folder there, python SCRIPT does not
    sys.path.insert(0, str(Path(args.script).parent.resolve()))
    import_styles(args.imports)
    if args.dry_run:
        sys.exit(dry_run(args.script, args.arguments))
    install()
    runpy.run_path(args.script, run_name="__main__")


def parse(words: list[str]) -> argparse.Namespace:
    """Return what the launcher's command line specifies: imports, the script, and all of its own arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m schedframe.megatron",
        description="Run an unmodified training script of Megatron-LM with schedframe's schedules.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    parser.add_argument("-h", "--help", action=_Help, nargs=0, help="show this help message and exit")
    parser.add_argument(
        "--import",
        dest="imports",
        metavar="MODULE_OR_FILE",
        action="append",
        default=[],
        help="import this module first, to register styles; may be repeated",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="show the schedule that the command line declares, and do not run the script; no GPU is needed",
    )
    parser.add_argument("script", metavar="SCRIPT", help="the script; its folder comes first on sys.path")
    parser.add_argument("arguments", metavar="...", nargs=argparse.REMAINDER, help="Megatron's arguments")
    # argparse drops the first `--` of the script's own arguments
    args = parser.parse_args([_DASHES if word == "--" else word for word in words])
    args.arguments = ["--" if word == _DASHES else word for word in args.arguments]
    return args


class _Help(argparse.Action):
    """Prints the help, with the styles that are installed and those that ``--import`` has registered before it."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, flag: str | None = None
    ) -> None:
        import_styles(namespace.imports)
        parser.epilog = _EPILOG.format(styles="\n".join(_styles()))
        parser.print_help()
        parser.exit()


def _styles() -> Iterator[str]:
    """Yield the lines of the help that list the styles."""
    for what, registry in (("learning rate", lr_styles), ("weight decay", wd_styles)):
        listed = f"{what}: {', '.join(registry)}"
        yield fill(listed, 100, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)


def _fail(message: str) -> None:
    print(f"schedframe: {message}", file=sys.stderr, flush=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
