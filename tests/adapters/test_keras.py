"""A schedule in Keras 3, with the backend that ``KERAS_BACKEND`` names when Keras is imported."""

import json
from pathlib import Path
from typing import Any

import numpy
import pytest

import schedframe
from schedframe import ConfigError, Schedule
from tests.adapters import one_file, pages

keras = pytest.importorskip("keras", reason="runs in an environment of its own: make adapters")
adapter = pytest.importorskip("schedframe.adapters.keras")


@pytest.fixture
def schedule(tmp_path: Path) -> Schedule:
    return schedframe.load(one_file.write_file(tmp_path))


def expected(schedule: Schedule, group: int = 0) -> Any:
    values = one_file.expected(schedule.param_groups(one_file.Net()), schedule)
    return numpy.array(values, dtype=numpy.float32)[:, group]


class AdamW(adapter.ScheduledWDMixin, keras.optimizers.AdamW):
    """As on the page."""


class Recorder(keras.callbacks.Callback):
    """What the optimizer has for each batch."""

    def __init__(self) -> None:
        super().__init__()
        self.values: list[list[float]] = []

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        optimizer = self.model.optimizer
        values = (optimizer.learning_rate, optimizer.weight_decay)
        self.values.append([float(keras.ops.convert_to_numpy(value)) for value in values])


def model_of(schedule: Schedule, **options: Any) -> Any:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    accumulated = {"gradient_accumulation_steps": options.get("gradient_accumulation_steps")}
    lr, wd = (make(schedule, **accumulated) for make in (adapter.ScheduledLR, adapter.ScheduledWD))
    model.compile(optimizer=AdamW(learning_rate=lr, weight_decay=wd, **options), loss="mse")
    return model


def fit(model: Any, batches: int) -> list[list[float]]:
    data = numpy.random.default_rng(0).normal(size=(4 * batches, 4)).astype("float32")
    recorder = Recorder()
    model.fit(data, data[:, :2], batch_size=4, verbose=0, shuffle=False, callbacks=[recorder])
    return recorder.values


@pytest.mark.parametrize(("group", "role"), [(0, None), (1, "head")])
def test_each_update_gets_the_values_of_the_megatron_drop_in(schedule: Schedule, group: int, role: str | None) -> None:
    makes = (adapter.ScheduledLR, adapter.ScheduledWD)
    functions = [make(schedule, num_training_steps=40, role=role) for make in makes]
    values = [[keras.ops.convert_to_numpy(function(update)) for function in functions] for update in range(40)]
    assert (numpy.array(values) == expected(schedule, group)).all()


def test_an_optimizer_has_them_in_a_compiled_training_step(schedule: Schedule) -> None:
    assert (numpy.float32(fit(model_of(schedule), 40)) == expected(schedule)).all()


def test_the_weight_decay_of_each_update_reaches_the_weights(schedule: Schedule) -> None:
    """Without gradients nothing else does."""
    model = model_of(schedule)
    model.compile(optimizer=model.optimizer, loss=lambda truth, seen: 0.0 * seen)
    before = model.get_weights()[0]
    fit(model, 40)
    kept = numpy.prod([1.0 - lr * wd for lr, wd in expected(schedule).astype(float)])
    assert kept < 0.999
    assert model.get_weights()[0] == pytest.approx(kept * before, rel=1e-5)


def test_accumulated_micro_batches_are_one_update(schedule: Schedule) -> None:
    values = fit(model_of(schedule, gradient_accumulation_steps=2), 80)
    assert (numpy.float32(values[::2]) == expected(schedule)).all()
    assert values[::2] == values[1::2]


def test_a_saved_model_needs_no_file(schedule: Schedule, tmp_path: Path) -> None:
    model = model_of(schedule)
    fit(model, 15)
    model.save(tmp_path / "model.keras")
    (tmp_path / "run.yaml").unlink()
    loaded = keras.saving.load_model(tmp_path / "model.keras", custom_objects={"AdamW": AdamW})
    assert (numpy.float32(fit(loaded, 25)) == expected(schedule)[15:]).all()


def test_its_config_is_plain_data_that_makes_it_again(schedule: Schedule) -> None:
    config = json.loads(json.dumps(adapter.ScheduledLR(schedule, role="head").get_config()))
    again = adapter.ScheduledLR.from_config(config)
    assert [float(again(update)) for update in range(40)] == expected(schedule, 1)[:, 0].tolist()


def test_another_number_of_updates_is_refused(schedule: Schedule) -> None:
    with pytest.raises(ConfigError, match="is 40 updates, and the trainer makes 18"):
        adapter.ScheduledLR(schedule, num_training_steps=18)


def test_the_script_of_the_page_runs(tmp_path: Path) -> None:
    printed = pages.run_scripts("use-in-jax-and-keras.md", tmp_path, "train_keras.py")
    assert "schedframe>ScheduledLR" in printed
