"""Train a small GPT with Megatron Core, its learning rate and weight decay declared in a YAML file.

See README.md. `main` is the command line, training.py the training loop.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import schedframe

_EXAMPLES = """\
examples:
  python train_gpt.py
  python train_gpt.py --schedule my.yaml --json history.json
  torchrun --nproc_per_node=2 train_gpt.py

exit codes:
  0  trained; the param groups held the schedule's values, and the resumed run is identical
  1  trained, but a param group held another value, or the resumed run differs
  2  cannot be used: the schedule, a plugin, an option or an installed package is at fault
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    options = _parse(arguments)
    try:
        schedule = schedframe.load(options.schedule)
        return _run(options, schedule, _iterations(schedule, options))
    except schedframe.SchedframeError as error:
        print(error, file=sys.stderr)
    except ModuleNotFoundError as error:
        print(f"{error}; README.md lists what to install", file=sys.stderr)
    return 2


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Train a small GPT on the sources of Python's standard library, byte by byte.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    ours = Path(__file__).with_name("schedule.yaml")
    which = "YAML, TOML or JSON file (schedule.yaml beside this program)"
    parser.add_argument("--schedule", type=Path, metavar="FILE", default=ours, help=which)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the history there")
    parser.add_argument("--log", type=Path, metavar="FILE", help="write the loss there, as JSON Lines")
    for name, default, text in (
        ("interval", 50, "iterations of which --log has the mean"),
        ("batch", 16, "samples in one update, over all ranks"),
        ("layers", 2, "transformer layers"),
        ("hidden", 64, "width of a layer"),
        ("heads", 4, "attention heads"),
        ("length", 64, "bytes in one sample"),
        ("seed", 1, "seed of the initial weights"),
    ):
        parser.add_argument(f"--{name}", type=_positive, metavar="N", default=default, help=f"{text} ({default})")
    options = parser.parse_args(arguments)
    ranks = int(os.environ.get("WORLD_SIZE", "1"))
    if options.batch % ranks:
        parser.error(f"--batch {options.batch} cannot be shared by {ranks} ranks")
    if options.hidden % (2 * options.heads):
        parser.error(f"--hidden {options.hidden} is no multiple of twice --heads {options.heads}")
    for name, path in (("json", options.json), ("log", options.log)):
        if path is not None and not path.absolute().parent.is_dir():
            parser.error(f"--{name} {path}: there is no such directory")
    return options


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def _iterations(schedule: schedframe.Schedule, options: argparse.Namespace) -> int:
    """Return how many updates the run has."""
    samples = schedule.train_samples
    if samples is None:
        problem = schedframe.Problem("train_samples", "is missing: it is the length of the run, in samples")
    elif samples < options.batch:
        problem = schedframe.Problem("train_samples", f"is less than one batch, {options.batch}", str(samples))
    else:
        return int(samples // options.batch)
    raise schedframe.ConfigError(str(options.schedule), [problem])


def _run(options: argparse.Namespace, schedule: schedframe.Schedule, iterations: int) -> int:
    # Importing Megatron takes seconds. Options and schedule have been checked by now.
    import gpt
    import history
    import report
    import text
    import training

    def build() -> training.Parts:
        model = gpt.build_model(text.VOCABULARY, options.layers, options.hidden, options.heads, options.length)
        return training.Parts(model, *training.build_optimizer(model, schedule))

    data = text.read()
    sizes = (iterations, options.batch, options.length)
    with gpt.distributed(options.seed) as rank, tempfile.TemporaryFile() as checkpoint:
        console = report.console(quiet=rank > 0)
        parts = build()
        headline = f"{gpt.describe(parts.model)}; {iterations} iterations of {options.batch} samples"
        report.introduce(console, schedule, headline)
        rows = []
        for row in report.watch(console, training.train(parts, data, *sizes), iterations):
            if row.iteration == iterations * 2 // 3:
                parts.save(checkpoint)
            rows.append(row)

        checkpoint.seek(0)
        parts = build()
        parts.load(checkpoint)
        resumed = list(report.watch(console, training.train(parts, data, *sizes), iterations, "resuming"))

    deviations = list(history.deviations(rows, schedule))
    departures = list(history.departures(rows, resumed))
    if options.json is not None and rank == 0:
        facts = {"schedule": str(options.schedule), "lr_style": str(schedframe.source_of(schedule.lr_style))}
        history.write_json(options.json, {**facts, "batch": options.batch}, rows)
    if options.log is not None and rank == 0:
        history.write_log(options.log, rows, options.interval)
    report.show(console, rows, schedule)
    report.conclude(console, rows, resumed, schedule, len(deviations), len(departures))
    for sentence in (*deviations[:5], *departures[:5]):
        print(sentence, file=sys.stderr)
    if deviations or departures:
        return 1
    report.suggest(console, options.schedule)
    return 0


if __name__ == "__main__":
    sys.exit(main())
