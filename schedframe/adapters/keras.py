"""Schedules for the optimizers of Keras 3, with any of its backends.

Keras evaluates a ``LearningRateSchedule`` at the number of updates that were made before this one; with
``gradient_accumulation_steps``, at the number of micro-batches (keras-team/keras:keras/src/optimizers/
base_optimizer.py at v3.15.1, ``_get_current_learning_rate``). It has no schedules of weight decay; `ScheduledWDMixin`
makes an optimizer take one.

Values are looked up in a table with one number for each update, so that they are exactly those of the schedule, rounded
to Keras's ``floatx``, also where the backend compiles the training step. After the end of the run the last value stays.
Before the start of a schedule that continues another run it is NaN.
"""

from collections.abc import Mapping
from typing import Any

import keras

from schedframe._schedule.schedule import Schedule
from schedframe.adapters._table import lrs_by_update, wds_by_update
from schedframe.adapters._updates import ScheduleLike, as_schedule


@keras.saving.register_keras_serializable(package="schedframe")
class ScheduledLR(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """The learning rate of a schedule, for the argument ``learning_rate`` of an optimizer.

    ``get_config`` holds the schedule itself, so that a saved model needs no other file.

    Args:
        schedule: a `Schedule`, the path of its file, or its keys. One update is one of its iterations.
        num_training_steps: how many updates are made. It must be the length of the schedule's run; a schedule without
            one is evaluated for this one.
        gradient_accumulation_steps: what the optimizer gets under this name: its steps for one update.
        role: the variables whose learning rate it is: the name of a rule of ``groups``, or by default ``default``.

    Raises:
        ConfigError: the schedule has problems, its run has another length, or there is none.
        ValueError: there is no such rule.
    """

    _values_by_update = staticmethod(lrs_by_update)

    def __init__(
        self,
        schedule: ScheduleLike | Mapping[str, Any],
        *,
        num_training_steps: int | None = None,
        gradient_accumulation_steps: int | None = None,
        role: str | None = None,
    ) -> None:
        """Evaluate the schedule for each update."""
        known = Schedule(**schedule) if isinstance(schedule, Mapping) else as_schedule(schedule)
        self._config = {
            "schedule": known.model_dump(mode="json", exclude_unset=True),
            "num_training_steps": num_training_steps,
            "gradient_accumulation_steps": gradient_accumulation_steps,
            "role": role,
        }
        self._table = self._values_by_update(known, num_training_steps, role)

    def __call__(self, step: Any) -> Any:
        """Return the value at a step of the optimizer, a number or a tensor of the backend."""
        updates = keras.ops.floor_divide(step, self._config["gradient_accumulation_steps"] or 1)
        table = keras.ops.convert_to_tensor(self._table, dtype=keras.config.floatx())
        return keras.ops.take(table, keras.ops.minimum(updates, len(self._table) - 1))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments as plain data."""
        return dict(self._config)


@keras.saving.register_keras_serializable(package="schedframe")
class ScheduledWD(ScheduledLR):
    """The weight decay of a schedule, for the argument ``weight_decay`` of an optimizer with `ScheduledWDMixin`.

    Arguments and errors are those of `ScheduledLR`; a schedule without weight decay is a `ConfigError`.
    """

    _values_by_update = staticmethod(wds_by_update)


class ScheduledWDMixin:
    """Lets an optimizer take a `ScheduledWD` as its ``weight_decay``.

    It stands before the class of Keras: ``class AdamW(ScheduledWDMixin, keras.optimizers.AdamW)``. Keras reads the
    attribute in each update (keras/src/optimizers/base_optimizer.py at v3.15.1, ``_apply_weight_decay``).
    """

    _iterations: Any
    _weight_decay: Any = None

    @property
    def weight_decay(self) -> Any:
        """The weight decay of the update that is next."""
        return self._weight_decay(self._iterations) if callable(self._weight_decay) else self._weight_decay

    @weight_decay.setter
    def weight_decay(self, weight_decay: Any) -> None:
        self._weight_decay = weight_decay

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the optimizer as plain data."""
        config: dict[str, Any] = super().get_config()  # type: ignore[misc]
        return {**config, "weight_decay": keras.saving.serialize_keras_object(self._weight_decay)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Return the optimizer of `get_config`."""
        weight_decay = keras.saving.deserialize_keras_object(config["weight_decay"], custom_objects)
        return super().from_config({**config, "weight_decay": weight_decay}, custom_objects)  # type: ignore[misc]
