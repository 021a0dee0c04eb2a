"""Automodel: its config, what its recipe tracks, its checkpoints."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from trial import ITERATIONS, MAX_LR, MIN_LR, WARMUP, Framework, lines


class Automodel(Framework):
    """A step is an optimizer step; its recipe holds a list of schedulers."""

    batch = 1

    def replace(self) -> None:
        exec(lines("automodel"), {})

    def build(self, said: Mapping[str, Any]) -> tuple[Any, Any]:
        import torch
        from nemo_automodel.components.config.loader import ConfigNode
        from nemo_automodel.components.optim.optimizer import AdamWConfig
        from nemo_automodel.recipes._typed_config import RecipeConfig
        from nemo_automodel.recipes.base_recipe import BaseRecipe

        torch.manual_seed(1)
        recipe = BaseRecipe()
        recipe.model_parts = [torch.nn.Linear(4, 4)]
        recipe.optimizer = AdamWConfig(lr=MAX_LR, weight_decay=0.1).build(recipe.model_parts[0])
        recipe.model_parts[0](torch.ones(4)).sum().backward()
        section = {
            "lr_warmup_steps": WARMUP,
            "lr_decay_style": said["lr"],
            "min_lr": MIN_LR,
            "wd_incr_style": said.get("wd", "constant"),
            "wsd_decay_steps": 5,
            "lr_wsd_decay_style": said.get("tail"),
            **({"start_wd": 0.01} if "wd" in said else {}),
        }
        steps = SimpleNamespace(epoch_len=ITERATIONS, num_epochs=1, max_steps=None)
        config = RecipeConfig(ConfigNode({"lr_scheduler": section}))
        recipe.lr_scheduler = config.lr_scheduler.build(recipe.optimizer, steps)
        recipe.cfg = ConfigNode({})
        recipe.peft_config = None
        self.recipe = recipe
        return recipe.optimizer[0], recipe.lr_scheduler[0]

    def before_its_own(self) -> None:
        exec(lines("automodel, once"), {})

    def step(self, scheduler: Any) -> None:
        scheduler.step(1)

    def save(self, folder: str, optimizer: Any, scheduler: Any) -> None:
        self._open(folder).save_checkpoint(epoch=0, step=1, train_loss=0.0)

    def load(self, folder: str, optimizer: Any, scheduler: Any) -> None:
        self._open(folder).load_checkpoint()

    def ask(self, optimizer: Any, scheduler: Any) -> list[str]:
        from nemo_automodel.recipes.base_recipe import is_lr_scheduler

        assert is_lr_scheduler(scheduler)
        assert is_lr_scheduler([scheduler])
        assert "lr_scheduler" in vars(self.recipe)["__state_tracked"]
        self.recipe._log_model_and_optimizer_details(lr_scheduler=self.recipe.lr_scheduler)
        assert "max_lr=0.0003" in str(scheduler), "its log would not say the schedule"
        return ["tracked by the recipe"]

    def _open(self, folder: str) -> Any:
        from nemo_automodel.components.checkpoint.config import CheckpointingConfig

        config = CheckpointingConfig(checkpoint_dir=folder, model_repo_id="none", save_consolidated=False)
        self.recipe.checkpointer = config.build(dp_rank=0, tp_rank=0, pp_rank=0)
        return self.recipe


def prepare() -> None:
    """Nothing is missing that a stand-in could be for."""


def trial() -> Framework:
    """Return the framework, at the first import of its modules."""
    return Automodel()
