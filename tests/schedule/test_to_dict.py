"""A schedule as plain data: what was written, or every key."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import schedframe
from schedframe import Schedule
from schedframe.styles.lr import WSD, Cosine

from ..fuzz.corpus import good_files
from ..test_plain import EVERYTHING, in_user_containers

WRITTEN: dict[str, Any] = {
    "train_samples": "5000",
    "max_lr": 3e-4,
    "min_lr": "10%",
    "lr_decay_style": {"style": "WSD", "wsd_decay_steps": "10%", "lr_wsd_decay_style": "cosine"},
    "start_wd": 0.1,
    "ignore": {"SF202": "as before"},
    "groups": [{"role": "head", "match": {"param": "*head*"}, "lr_mult": 0.5}],
}


class Config(BaseModel):
    """A user's model."""

    schedule: Schedule


ROUND_TRIPS: dict[str, Callable[[Schedule], Schedule]] = {
    "to_dict": lambda schedule: Schedule(**schedule.to_dict()),
    "to_dict, resolve": lambda schedule: Schedule(**schedule.to_dict(resolve=True)),
    "json": lambda schedule: Schedule(**json.loads(json.dumps(schedule.to_dict()))),
    "model_dump": lambda schedule: Schedule(**schedule.model_dump()),
    "model_validate": lambda schedule: Schedule.model_validate(schedule.model_dump()),
    "model_validate_json": lambda schedule: Schedule.model_validate_json(schedule.model_dump_json()),
    "field": lambda schedule: Config(**Config(schedule=schedule).model_dump()).schedule,
    "field, json": lambda schedule: Config.model_validate_json(Config(schedule=schedule).model_dump_json()).schedule,
}


def is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return type(value) is dict and all(type(key) is str and is_plain(inner) for key, inner in value.items())
    return all(map(is_plain, value)) if type(value) is list else type(value) in (str, int, float, bool, type(None))


def test_it_is_what_was_written() -> None:
    assert Schedule(**WRITTEN).to_dict() == WRITTEN


def test_a_file_is_what_was_written_in_it_and_in_those_that_it_extends(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("max_lr: 1e-3\ntrain_samples: 5M\n")
    (tmp_path / "run.yaml").write_text("extends: base.yaml\nmax_lr: 2e-3\n")
    assert schedframe.load(tmp_path / "run.yaml").to_dict() == {"max_lr": 2e-3, "train_samples": "5M"}


def test_resolved_it_has_every_key_that_has_a_value() -> None:
    resolved = Schedule(**WRITTEN).to_dict(resolve=True)
    assert resolved == {
        **WRITTEN,
        "clock": "samples",
        "decrease_batch_size_if_needed": False,
        "start_step": 0,
        "lr_decay_steps": 5000,
        "init_lr": 0.0,
        "lr_warmup_steps": 0,
        "lr_warmup_style": {"style": "linear", "shift": 0, "stretched": False},
        "first_update": 0,
        "interval": 0,
        "decay_from": "warmup",
        "end_wd": 0.1,
        "wd_incr_steps": 5000,
        "wd_incr_style": "constant",
        "resume": {"policy": "strict", "override": []},
    }


def test_it_is_a_copy() -> None:
    schedule = Schedule(**WRITTEN)
    schedule.to_dict()["groups"][0]["lr_mult"] = 2.0
    assert schedule.to_dict() == WRITTEN


def test_what_is_no_plain_data_becomes_it() -> None:
    numpy = pytest.importorskip("numpy")
    objects = Schedule(
        max_lr=numpy.float64(1.0), min_lr=Decimal("0.5"), lr_decay_steps=numpy.int64(100), lr_decay_style=Cosine()
    )
    assert is_plain(objects.to_dict())
    assert objects.to_dict() == {"max_lr": 1.0, "min_lr": 0.5, "lr_decay_steps": 100, "lr_decay_style": "cosine"}


def test_containers_of_other_libraries_become_dicts_and_lists() -> None:
    schedule = Schedule(**in_user_containers(EVERYTHING))
    assert is_plain(schedule.to_dict())
    assert schedule.to_dict() == EVERYTHING


@pytest.mark.parametrize("way", ROUND_TRIPS.values(), ids=ROUND_TRIPS)
class TestRoundTrips:
    """What a way gives declares an equal schedule."""

    @pytest.mark.parametrize("keys", [WRITTEN, EVERYTHING], ids=["written", "everything"])
    def test_of_keys(self, way: Callable[[Schedule], Schedule], keys: dict[str, Any]) -> None:
        assert way(Schedule(**keys)) == Schedule(**keys)

    @pytest.mark.parametrize("role", ["default", "head"])
    def test_of_a_role(self, way: Callable[[Schedule], Schedule], role: str) -> None:
        schedule = Schedule(**WRITTEN).for_role(role)
        assert way(schedule) == schedule

    def test_of_a_changed_copy(self, way: Callable[[Schedule], Schedule]) -> None:
        changes = {"max_lr": 1e-3, "lr_decay_style": WSD(wsd_decay_steps=7)}
        schedule = Schedule(**WRITTEN).model_copy(update=changes)
        assert way(schedule) == schedule

    def test_of_an_open_end(self, way: Callable[[Schedule], Schedule]) -> None:
        schedule = Schedule(max_lr=1.0, lr_decay_steps="open", lr_decay_style="constant", start_wd=0.1)
        assert way(schedule) == schedule
        assert way(schedule.for_role("default")) == schedule

    @pytest.mark.filterwarnings("ignore")
    def test_of_every_file_here(self, way: Callable[[Schedule], Schedule]) -> None:
        for path in good_files():
            assert way(schedframe.load(path)) == schedframe.load(path), path
