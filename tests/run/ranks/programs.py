"""What the ranks run. As a script it reads worlds from standard input, a line each: ``[program, ranks, arguments]``.

A world is that many processes in one process group of gloo, which all call the function named `program`. What each
of them returns is printed, as one line of JSON for a world.
"""

import json
import multiprocessing
import os
import sys
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any


def verify(rank: int, run: dict[str, Any], cases: dict[str, Any]) -> dict[str, Any]:
    """Return what `verify_ranks` says to this rank in each of `cases`, and its scheduler's state.

    A case may say, by rank, `changes` to the run, `num_steps`, a folder that is first on the `path`, and a file to
    `import` first; and the `members` of a group, which all ranks pass.
    """
    import torch.distributed as dist

    said = {}
    of_rank = ("changes", "num_steps", "path", "import")
    for name, case in cases.items():
        mine = {key: case[key][str(rank)] for key in of_rank if str(rank) in case.get(key, {})}
        if "path" in mine:
            sys.path.insert(0, mine["path"])
        if "import" in mine:
            os.environ["SCHEDFRAME_IMPORT"] = mine["import"]
        group = dist.new_group(case["members"]) if "members" in case else None
        scheduler = built(rank, {**run, **mine.get("changes", {})})
        scheduler.step(mine.get("num_steps", 40) - scheduler.num_steps)
        said[name] = {"refusal": refusal(scheduler, group), "state": scheduler.state_dict()}
    return said


def save(rank: int, run: dict[str, Any], num_steps: int, rows: list[Any], folder: str) -> dict[str, Any]:
    """Save a matrix that is sharded over the ranks, and a scheduler's state."""
    import torch
    import torch.distributed.checkpoint as dcp

    scheduler = built(rank, run)
    scheduler.step(num_steps)
    weight = sharded(torch.tensor(rows))
    dcp.save({"weight": weight, "opt_param_scheduler": scheduler.state_dict()}, checkpoint_id=folder)
    return {"rows": weight.to_local().tolist()}


def load(rank: int, run: dict[str, Any], increments: list[int], rows: list[Any], folder: str) -> dict[str, Any]:
    """Load what `save` saved over `rows`, and go on by `increments`."""
    import torch
    import torch.distributed.checkpoint as dcp

    scheduler = built(rank, run)
    loaded = {"weight": sharded(torch.tensor(rows)), "opt_param_scheduler": scheduler.state_dict()}
    dcp.load(loaded, checkpoint_id=folder)
    scheduler.load_state_dict(loaded["opt_param_scheduler"])
    scheduler.verify_ranks()
    held = [values(scheduler)]
    for increment in increments:
        scheduler.step(increment)
        held.append(values(scheduler))
    return {"rows": loaded["weight"].to_local().tolist(), "state": loaded["opt_param_scheduler"], "held": held}


def grouped(rank: int, schedule: dict[str, Any], names: list[list[str]], steps: int) -> dict[str, Any]:
    """Make this rank's groups of the parameters that it has, train so far, and return what it has and says."""
    import torch

    from schedframe import ConfigError, Schedule

    own = [(name, torch.nn.Parameter(torch.ones(2))) for name in names[rank]]
    declared = Schedule(**schedule)
    try:
        optimizer = torch.optim.AdamW(declared.param_groups(own))
        scheduler = declared.build(optimizer)
    except ConfigError as error:
        return {"refusal": [str(problem) for problem in error.problems]}
    scheduler.verify_ranks()
    scheduler.step(steps)
    return {
        "groups": [[group["role"], len(group["params"])] for group in optimizer.param_groups],
        "held": values(scheduler),
        "report": scheduler.report(),
        "state": scheduler.state_dict(),
    }


def keyed(rank: int, schedules: list[dict[str, Any]], keys: list[list[dict[str, Any]]]) -> dict[str, Any]:
    """Build each rank's schedule on groups that hold its `keys`; return the rates, and what `verify_ranks` says."""
    from types import SimpleNamespace

    from schedframe import ConfigError, Schedule

    try:
        scheduler = Schedule(**schedules[rank]).build(SimpleNamespace(param_groups=keys[rank]))
    except ConfigError as error:
        return {"refusal": [str(problem) for problem in error.problems]}
    rates = [group["lr"] for group in scheduler.optimizer.param_groups]
    return {"held": rates, "ranks differ": refusal(scheduler, None)}


def sharded(rows: Any) -> Any:
    """Return `rows` as a tensor of which each rank has its share."""
    import torch.distributed as dist
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import Shard, distribute_tensor

    return distribute_tensor(rows, init_device_mesh("cpu", (dist.get_world_size(),)), [Shard(0)])


def built(rank: int, run: dict[str, Any]) -> Any:
    """Return a scheduler over AdamW with two param groups, as large as each rank has them."""
    import torch

    from schedframe import OptimizerParamScheduler

    groups = [{"params": [torch.nn.Parameter(torch.zeros(rank + 1))], "wd_mult": wd_mult} for wd_mult in (1.0, 0.0)]
    return OptimizerParamScheduler(torch.optim.AdamW(groups, lr=0.0), **run)


def values(scheduler: Any) -> list[list[float]]:
    return [[group["lr"], group["weight_decay"]] for group in scheduler.optimizer.param_groups]


def refusal(scheduler: Any, group: Any) -> str:
    """Return what `verify_ranks` says; empty where it passes."""
    from schedframe import RankMismatchError

    try:
        scheduler.verify_ranks(group)
    except RankMismatchError as error:
        return str(error)
    return ""


def _rank(rank: int, count: int, folder: Path, program: str, arguments: dict[str, Any]) -> None:
    import torch.distributed as dist

    store = dist.FileStore(str(folder / "store"), count)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=count, timeout=timedelta(seconds=60))
    result = globals()[program](rank, **arguments)
    dist.destroy_process_group()
    (folder / f"{rank}.json").write_text(json.dumps(result))


def _world(program: str, count: int, arguments: dict[str, Any]) -> list[Any]:
    fork = multiprocessing.get_context("fork")
    with TemporaryDirectory() as name:
        folder = Path(name)
        processes = [
            fork.Process(target=_rank, args=(rank, count, folder, program, arguments)) for rank in range(count)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join(120)
        failed = [rank for rank, process in enumerate(processes) if process.exitcode != 0]
        if failed:
            for process in processes:
                process.kill()
            sys.exit(f"{program}: of {count} ranks, these failed: {failed}")
        return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(count)]


if __name__ == "__main__":
    import torch.distributed.checkpoint
    import torch.distributed.tensor

    # What torch imports, now or when its first optimizer is made, is imported once for all that are forked.
    torch.optim.AdamW([torch.zeros(1)])
    for line in sys.stdin:
        print(json.dumps(_world(*json.loads(line))), flush=True)
