"""A schedule in axolotl, by its YAML file alone.

.. code-block:: yaml

    plugins:
      - schedframe.adapters.axolotl.SchedulePlugin
    schedule: run.yaml
"""

from typing import Any

from axolotl.integrations.base import BasePlugin
from pydantic import BaseModel

from schedframe.adapters.hf import log_metrics, use


class ScheduleArgs(BaseModel):
    """The keys that the plugin adds to those of axolotl's file.

    Attributes:
        schedule: the path of the schedule's file.
        schedule_options: arguments of `ScheduledLR`, such as ``{override_opt_param_scheduler: true}``.
    """

    schedule: str
    schedule_options: dict[str, Any] | None = None


class SchedulePlugin(BasePlugin):  # type: ignore[misc]
    """Puts the schedule of the key ``schedule`` into the trainer that axolotl has made, and logs its values.

    axolotl calls it before it trains (axolotl-ai-cloud/axolotl:src/axolotl/train.py, ``setup_model_and_trainer``, at
    v0.19.0). Its hook ``create_lr_scheduler`` would come after the param groups are made, too late for rules by name.
    """

    def get_input_args(self) -> str:
        """Return the name of the class with the plugin's keys."""
        return f"{__name__}.{ScheduleArgs.__name__}"

    def post_trainer_create(self, cfg: Any, trainer: Any) -> None:
        """Let `trainer` run the schedule.

        Raises:
            ConfigError: the schedule has problems.
            SchedframeError: the trainer has a scheduler already.
        """
        log_metrics(use(trainer, cfg.schedule, **(cfg.schedule_options or {})))
