"""Try the launcher on the ``pretrain_gpt.py`` of Megatron-LM checkouts, beside the script as it is.

    python tests/megatron_lm/try_checkout.py CHECKOUT [CHECKOUT ...] [--python PYTHON]

A checkout needs what Megatron-LM needs: pybind11 and make to compile its data sets' helpers, six up to 0.17, and
Python 3.12 from 0.17 on. No GPU. The exit code is 1 where something is not as expected.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from megatron_lm import MODEL, Ran, Run, environment, run_all, saved_groups, version_of

LRS = "--lr=1e-3 --min-lr=1e-4 --lr-warmup-iters=4 --weight-decay=0.1".split()
CHANGED = "--lr=5e-4 --min-lr=5e-5 --lr-warmup-iters=4 --weight-decay=0.1 --override-opt_param-scheduler".split()
DECOUPLED = "--decoupled-lr=5e-4 --decoupled-min-lr=2e-5".split()
COSINE = "--lr-decay-style=cosine"
STYLES = {
    "linear": [],
    "cosine": [],
    "constant": [],
    "inverse-square-root": [],
    "WSD": ["--lr-wsd-decay-iters=8", "--lr-wsd-decay-style=minus_sqrt"],
}
OPTIMIZERS = {"FP32": [], "DistributedOptimizer": ["--bf16", "--use-distributed-optimizer"]}


class Trial:
    """One checkout's runs."""

    def __init__(self, checkout: Path, python: str, folder: Path) -> None:
        self.folder = folder
        self.settings = environment(checkout, makes=True)
        self.python = python
        self.version = version_of(checkout)
        size = "131072" if self.version < (0, 16) else "127"
        model = [size if argument == "127" else argument for argument in MODEL]
        runs = [*self.styles(), *self.resumes()]
        script = checkout / "pretrain_gpt.py"
        self.ran = run_all(runs, folder, script, self.settings, ["--mock-data", *model], python=python)

    def save(self, name: str) -> list[str]:
        return f"--ckpt-format=torch --save {self.folder / name} --save-interval=20".split()

    def load(self, name: str) -> list[str]:
        return f"--ckpt-format=torch --load {self.folder / name}".split()

    def styles(self) -> Iterator[Run]:
        for style, more in STYLES.items():
            flags = ["--train-iters=20", *LRS, f"--lr-decay-style={style}", *more]
            yield Run(f"{style} stock", False, flags)
            yield Run(f"{style} launched", True, flags)
        yield Run("rex", True, ["--train-iters=20", *LRS, "--lr-decay-style=rex"])

    def resumes(self) -> Iterator[Run]:
        for name, optimizer in OPTIMIZERS.items():
            first = ["--train-iters=20", *LRS, COSINE, *optimizer, *self.save(name)]
            on = ["--train-iters=26", *CHANGED, COSINE, *optimizer, *self.load(name)]
            yield Run(name, False, first)
            yield Run(f"{name} stock", False, on)
            yield Run(f"{name} launched", True, on)
            whole = ["--train-iters=26", *LRS, *DECOUPLED, COSINE, *optimizer]
            yield Run(f"{name} decoupled", False, [*whole, *self.save(f"{name}-first"), "--exit-interval=20"])
            on = [*whole, *self.load(f"{name}-first")]
            yield Run(f"{name} decoupled stock", False, [*on, *self.save(f"{name}-stock")])
            yield Run(f"{name} decoupled launched", True, [*on, *self.save(f"{name}-launched")])
            both = [*whole, *CHANGED, *self.load(f"{name}-first")]
            yield Run(f"{name} decoupled changed", True, [*both, *self.save(f"{name}-changed")])

    def findings(self) -> Iterator[tuple[bool, str]]:
        """Yield whether what was seen is as it should be, and what that was."""
        for style in STYLES:
            stock, launched = self.ran[f"{style} stock"], self.ran[f"{style} launched"]
            same = len(stock.rows) == 20 and stock.rows == launched.rows
            yield same, f"{style}: {len(stock.rows)} rates and losses {'equal' if same else 'differ'}"
        rex = self.ran["rex"]
        yield len(rex.rows) == 20 and rex.code == 0, f"rex trains, {' '.join(rex.said)}"
        for name in OPTIMIZERS:
            stock, launched = self.ran[f"{name} stock"], self.ran[f"{name} launched"]
            told = f"{name}: resumed with --lr 5e-4 --min-lr 5e-5 it ends at {_end(launched)}, stock: {_end(stock)}"
            yield launched.rates[-1:] == ["5.000000E-05"], told
            rates, stocks = self.rates(f"{name}-launched"), self.rates(f"{name}-stock")
            told = f"{name}: decoupled groups resumed unchanged end at {rates}, stock: {stocks}"
            yield rates == [2e-5, 1e-4, 1e-4], told
            rates = self.rates(f"{name}-changed")
            yield rates == [2e-5, 5e-5, 5e-5], f"{name}: with other bounds beside decoupled ones they end at {rates}"

    def rates(self, name: str) -> list[float] | str:
        """The learning rates of the groups in a checkpoint."""
        if not (self.folder / name).exists():
            return _error(self.ran[name.replace("-", " decoupled ")])
        return sorted(group["lr"] for group in saved_groups(self.folder / name, self.settings, self.python))


def _end(ran: Ran) -> str:
    return ran.rates[-1] if ran.rows and ran.code == 0 else _error(ran)


def _error(ran: Ran) -> str:
    lines = [line for line in ran.text.splitlines() if "Error" in line or line.startswith("schedframe:")]
    return lines[-1][:120] if lines else "nothing"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("checkouts", metavar="CHECKOUT", nargs="+", type=Path)
    parser.add_argument("--python", default=sys.executable, help="the Python that runs Megatron-LM")
    asked = parser.parse_args()
    good = True
    for checkout in asked.checkouts:
        with tempfile.TemporaryDirectory() as folder:
            trial = Trial(checkout.resolve(), asked.python, Path(folder))
            print(f"Megatron-LM {'.'.join(map(str, trial.version))}", flush=True)
            for fine, seen in trial.findings():
                print(f"  {'ok ' if fine else 'BAD'} {seen}", flush=True)
                good = good and fine
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
