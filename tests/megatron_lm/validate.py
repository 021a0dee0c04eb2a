"""Megatron's own parser and validation, under the launcher, of many command lines in one process.

The command lines come as JSON on stdin: lists of arguments. For each a JSON line says what Megatron then gives its
scheduler, and the arguments of the lengths; or the error.

    python validate.py < lines.json
"""

import contextlib
import io
import json
import sys
from typing import Any

import schedframe.megatron
from schedframe.megatron._from_args import arguments
from schedframe.megatron._launch.flags import LENGTHS

SCHEDULER = ("lr_warmup_steps", "lr_decay_steps", "wsd_decay_steps", "wd_incr_steps")


def validated(line: list[str]) -> dict[str, Any]:
    from megatron.training import arguments as megatron

    sys.argv = ["script.py", *line]
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            args = megatron.parse_args()
            megatron.validate_args(args)
    except (Exception, SystemExit) as error:
        return {"error": f"{type(error).__name__}: {error}"}
    lengths = {name: getattr(args, name) for names in LENGTHS.values() for name in names}
    said = [text for text in printed.getvalue().splitlines() if text.startswith("schedframe")]
    built = {name: arguments(args)[name] for name in SCHEDULER}
    return {"scheduler": built, "lengths": {name: value for name, value in lengths.items() if value}, "said": said}


def main() -> None:
    schedframe.megatron.install()
    for line in json.load(sys.stdin):
        print(json.dumps(validated(line)), flush=True)


if __name__ == "__main__":
    main()
