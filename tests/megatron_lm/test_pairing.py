"""Which of a checkpoint's param groups is which of a run's."""

from typing import Any

import pytest

from schedframe import StateError

pytest.importorskip("megatron.core")

from schedframe.megatron._launch.pairing import _reorder, paired

PLAIN = {"wd_mult": 1.0, "lr_mult": 1.0, "is_expert_parallel": False, "is_decoupled_lr": False}


def group(max_lr: float = 1e-3, **more: Any) -> dict[str, Any]:
    return {**PLAIN, "max_lr": max_lr, "min_lr": max_lr / 10, **more}


NO_WD = {"wd_mult": 0.0}
EMBEDDING = {"default_config": False}
DEFAULT = {"default_config": True}


@pytest.mark.parametrize(
    ("groups", "saved", "pairs"),
    [
        pytest.param([group(), group(**NO_WD)], [group(5e-4, **NO_WD), group(5e-4)], [1, 0], id="by identity"),
        pytest.param(
            [group(**DEFAULT), group(5e-4, **EMBEDDING), group(**DEFAULT, **NO_WD)],
            [group(2e-3, **DEFAULT), group(1e-3, **EMBEDDING), group(2e-3, **DEFAULT, **NO_WD)],
            [0, 1, 2],
            id="by Megatron's default, whatever the bounds",
        ),
        pytest.param([group(1e-3), group(5e-4)], [group(5e-4), group(1e-3)], [1, 0], id="by bounds"),
        pytest.param(
            [group(1e-3), group(5e-4), group(7e-4)],
            [group(5e-4), group(2e-3), group(7e-4)],
            [1, 0, 2],
            id="one is left",
        ),
        pytest.param([group(2e-3), group(1e-3)], [group(4e-3), group(2.5e-3)], [0, 1], id="in their order"),
        pytest.param(
            [group(1e-3, schedframe_rule_0=1), group(1e-3)],
            [group(1e-4), group(1e-4, schedframe_rule_0=1)],
            [1, 0],
            id="by a schedule's rules",
        ),
        pytest.param(
            [group()],
            [{**{f"pre_{key}": PLAIN[key] for key in ("wd_mult", "lr_mult")}, **group(), "pre_max_lr": 1}],
            [0],
            id="by NeMo's keys",
        ),
    ],
)
def test_groups_are_paired(groups, saved, pairs):
    assert paired(groups, saved) == pairs


def test_a_group_without_counterpart_is_reported():
    with pytest.raises(StateError) as caught:
        paired([group(), group(**NO_WD)], [group(), group(wd_mult=0.5)])
    assert str(caught.value) == (
        "the checkpoint has no counterpart of param_groups[1], whose wd_mult = 0.0, lr_mult = 1.0, is_expert_parallel "
        "= False, is_decoupled_lr = False; its groups were made by other rules: --no-load-optim leaves its optimizer "
        "out"
    )


def sized(*sizes: int) -> list[dict[str, Any]]:
    return [{"params": list(range(size)), "number": number} for number, size in enumerate(sizes)]


def test_saved_groups_come_into_the_order_of_the_run_with_their_parameters():
    saved, pairs = sized(2, 5), [1, 0]
    _reorder(sized(5, 2), saved, pairs)
    assert [group["number"] for group in saved] == [1, 0]
    assert pairs == [0, 1]


def test_parameters_that_are_this_runs_stay_where_they_are():
    saved, pairs = sized(5, 2), [1, 0]
    _reorder(sized(5, 2), saved, pairs)
    assert [group["number"] for group in saved] == [0, 1]
    assert pairs == [1, 0]


def test_where_that_cannot_be_decided_nothing_is_loaded():
    with pytest.raises(StateError, match="groups of one size changed places"):
        _reorder(sized(3, 3), sized(3, 3), [1, 0])


def test_a_distributed_optimizers_groups_have_none():
    saved, pairs = [{}, {}], [1, 0]
    _reorder(sized(3, 3), saved, pairs)
    assert pairs == [1, 0]
