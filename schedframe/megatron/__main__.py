"""``python -m schedframe.megatron pretrain_gpt.py ...``: Megatron-LM's own script with schedframe's schedules."""

import argparse
import runpy
import sys
from pathlib import Path

from schedframe._errors import SchedframeError
from schedframe._plugins.imports import import_styles
from schedframe.megatron._launch.install import install

_DASHES = "\0--"
_EPILOG = """\
Megatron's --lr-decay-style, --lr-wsd-decay-style and --weight-decay-incr-style take every installed style. More flags:
  --lr-decay-style-options TABLE          its options, such as '{beta: 0.5}'
  --lr-wsd-decay-style-options TABLE      those of the tail of WSD
  --weight-decay-incr-style-options TABLE those of the weight-decay style
  --schedule FILE                         a schedule file; it fills every scheduler argument that no flag says
  --no-verify-ranks                       do not compare the schedules of all ranks at the start

examples:
  python -m schedframe.megatron pretrain_gpt.py --lr-decay-style rex ...
  python -m schedframe.megatron pretrain_gpt.py --schedule run.yaml ...
  python -m schedframe.megatron --import my_styles.py pretrain_gpt.py --lr-decay-style mine ...
  torchrun --nproc-per-node 8 -m schedframe.megatron pretrain_gpt.py --schedule run.yaml ...
"""


def main() -> None:
    """Run a script of Megatron-LM; exit with 2 and a message where its schedule cannot be used."""
    imports, command = parse(sys.argv[1:])
    script = command[0]
    if not Path(script).is_file():
        _fail(f"there is no script {script}")
    sys.argv = command
    if not getattr(sys.flags, "safe_path", False):
        del sys.path[0]  # python -m puts the working folder there, python SCRIPT does not
    sys.path.insert(0, str(Path(script).parent.resolve()))
    try:
        import_styles(imports)
        install()
        runpy.run_path(script, run_name="__main__")
    except SchedframeError as error:
        _fail(str(error))


def parse(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return what is to be imported first, and the script with all of its own arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m schedframe.megatron",
        description="Run a training script of Megatron-LM, as it is, with schedframe's schedules.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--import",
        dest="imports",
        metavar="MODULE_OR_FILE",
        action="append",
        default=[],
        help="import first what registers styles of your own; may be repeated",
    )
    parser.add_argument("script", metavar="SCRIPT", help="the script; its folder comes first on sys.path")
    parser.add_argument("arguments", metavar="...", nargs=argparse.REMAINDER, help="Megatron's arguments")
    # argparse drops the first `--` of the script's own arguments
    args = parser.parse_args([_DASHES if word == "--" else word for word in arguments])
    return args.imports, ["--" if word == _DASHES else word for word in (args.script, *args.arguments)]


def _fail(message: str) -> None:
    print(f"schedframe: {message}", file=sys.stderr, flush=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
