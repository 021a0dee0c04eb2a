"""What `verify_ranks` does without ranks to compare, and what it says of a thousand."""

import subprocess
import sys
from typing import Any

import pytest

from schedframe import OptimizerParamScheduler
from schedframe._run.agreement import differences, summary_of


@pytest.fixture
def scheduler(optimizer, run: dict[str, Any]) -> OptimizerParamScheduler:
    return OptimizerParamScheduler(optimizer(), **run)


def test_torch_is_not_imported_to_find_out_that_there_is_one_rank() -> None:
    program = """
import sys, types
import schedframe

run = dict(max_lr=1.0, min_lr=0.0, lr_warmup_steps=0, lr_decay_steps=9, lr_decay_style="cosine")
optimizer = types.SimpleNamespace(param_groups=[{}])
schedframe.Schedule(**run).build(optimizer).verify_ranks()
print("torch" in sys.modules)
"""
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "False\n"
    )


def test_without_a_process_group_there_is_one_rank(scheduler: OptimizerParamScheduler) -> None:
    distributed = pytest.importorskip("torch.distributed")
    assert not distributed.is_initialized()
    scheduler.verify_ranks()
    assert not distributed.is_initialized()


def test_a_process_group_of_one_passes(run: dict[str, Any], request: pytest.FixtureRequest) -> None:
    pytest.importorskip("torch")
    said = request.getfixturevalue("world")("verify", 1, run=run, cases={"alone": {}})
    assert said[0]["alone"]["refusal"] == ""


def test_many_ranks_are_named_in_few_words(scheduler: OptimizerParamScheduler) -> None:
    said = dict.fromkeys(range(1024), summary_of(scheduler.plan, scheduler.num_steps))
    for rank in (8, 9, 511):
        said[rank] = {**said[rank], "num_steps": 7}
    assert list(differences(said)) == [
        "ranks 8, 9 and 511 are at num_steps 7, ranks 0 to 7, 10 to 510 and 512 to 1023 are at num_steps 0; "
        "load the same checkpoint on every rank"
    ]
