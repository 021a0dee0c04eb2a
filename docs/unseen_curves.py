"""Write public loss curves on which nothing of the laws was chosen, for ``make_evidence.py``.

    python docs/unseen_curves.py MULTI_POWER_LAW LR_SCHEDULING FOLDER

``MULTI_POWER_LAW`` and ``LR_SCHEDULING`` are checkouts of thu-yao-01-luo/MultiPowerLaw at 8da9f19 and of
fabian-sp/lr-scheduling at 8ace3a3, both under the MIT licence. ``FOLDER/unseen/SET/NAME.csv`` and ``NAME.yaml`` are
written for each run of

- the 25M model of the first, with the nine schedules of its other models;
- the models of the second, but for the 124M model at the peaks on which the laws' priors and widths were chosen.

Runs that continue another run for a longer time are left out, as are those whose loss was averaged.
"""

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from loss_curves import multi_power_schedule, schedule, wsd

from schedframe import Schedule

CHOSEN_ON = (5e-4, 1e-3, 2e-3)
"""The peaks of the 124M model whose runs ``loss_curves.scheduling`` has."""


class Curve(NamedTuple):
    """A run: where it belongs, what its schedule was, and (update, learning rate or nothing, loss)."""

    set: str
    name: str
    schedule: Schedule
    rows: list[tuple[int, float | None, float]]


def multi_power(checkout: Path) -> Iterator[Curve]:
    """Yield the runs of the 25M model."""
    for path in sorted((checkout / "loss_curve_repo" / "csv_25").glob("*.csv")):
        rows = [(int(row["step"]), None, float(row["loss"])) for row in csv.DictReader(path.read_text().splitlines())]
        yield Curve("25M", path.stem, multi_power_schedule(path.stem), rows)


def scheduling(checkout: Path) -> Iterator[Curve]:
    """Yield the runs of each model, those that branch off one at a constant learning rate with the log of that one."""
    runs = [json.loads(path.read_text()) for path in sorted((checkout / "data").glob("*.json"))]
    runs = [run for run in runs if not _was_chosen_on(run)]
    trunks = {(_set(run), run["config"]["lr"]): _losses(run) for run in runs if _is_constant(run)}
    for run in runs:
        losses = _losses(run)
        if _share(run):
            before = trunks.get((_set(run), run["config"]["lr"]), {})
            first = min(losses)
            losses = {at: loss for at, loss in before.items() if at < first} | losses
        history = run["history"]["train"]
        rates = dict(zip(history["iter"], history["train_lr"], strict=True))
        after_warmup = run["config"]["warmup_steps"]
        rows = [(at, rates.get(at) if at > after_warmup else None, loss) for at, loss in sorted(losses.items()) if at]
        yield Curve(_set(run), _name(run), _declared(run, rates), rows)


def _declared(run: dict[str, Any], rates: dict[int, float]) -> Schedule:
    config = run["config"]
    length, keys = config["iterations"], {"max_lr": config["lr"], "lr_warmup_steps": config["warmup_steps"]}
    if config["scheduler"] == "cos":
        return schedule(length, lr_decay_style="cosine", min_lr=min(rates[max(rates)], config["lr"]), **keys)
    if _is_constant(run):
        return schedule(length, lr_decay_style="constant", **keys)
    curve = "minus_sqrt" if config.get("decay_type") == "sqrt" else "linear"
    return wsd(length, _share(run), curve, **keys)


def _losses(run: dict[str, Any]) -> dict[int, float]:
    """Return the validation loss by update; the last one that was logged for an update is used."""
    history = run["history"]["val"]
    return dict(zip(history["iter"], history["val_loss"], strict=True))


def _share(run: dict[str, Any]) -> float:
    return float(run["config"]["wsd_fract_decay"]) if run["config"]["scheduler"] == "wsd" else 0.0


def _is_constant(run: dict[str, Any]) -> bool:
    return run["config"]["scheduler"] == "wsd" and not _share(run)


def _set(run: dict[str, Any]) -> str:
    """Return the size of the model, its kind in the repository (``llama``, ``llama_norm``) and its data."""
    config = run["config"]
    return f"{run['summary']['parameters'] / 1e6:.0f}M {config['model']} {config['dataset']}"


def _was_chosen_on(run: dict[str, Any]) -> bool:
    config = run["config"]
    is_124m = (config["n_layer"], config["n_embd"], config["dataset"]) == (12, 768, "slimpajama")
    return is_124m and config["lr"] in CHOSEN_ON


def _name(run: dict[str, Any]) -> str:
    config = run["config"]
    kind = "constant" if _is_constant(run) else config["scheduler"]
    shape = f"_{_share(run)}_{config.get('decay_type') or 'linear'}" if _share(run) else ""
    end = f"_to{config['cos_final_lr']}" if kind == "cos" and config.get("cos_final_lr") else ""
    return f"{kind}_{config['lr']}_{config['iterations']}{shape}{end}"


def main(multi_power_law: Path, lr_scheduling: Path, folder: Path) -> None:
    """Write the runs of both checkouts into `folder`."""
    for curve in (*multi_power(multi_power_law), *scheduling(lr_scheduling)):
        place = folder / "unseen" / curve.set
        place.mkdir(parents=True, exist_ok=True)
        place.joinpath(f"{curve.name}.yaml").write_text(json.dumps(curve.schedule.to_dict()))
        with place.joinpath(f"{curve.name}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("iteration", "lr", "loss"))
            writer.writerows(curve.rows)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
