"""verl's Megatron engine: its factory, its dist_checkpointing, one step for each train step."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trial import ITERATIONS, MAX_LR, MIN_LR, STOCK, WARMUP, Framework, module_of_the_page


class Verl(Framework):
    """A step is a train step, and weight decay does not change."""

    stock = [said for said in STOCK if "wd" not in said]
    batch = 1

    def __init__(self, model: Any) -> None:
        self.model = model

    def replace(self) -> None:
        from verl.utils.import_utils import import_external_libs

        import_external_libs(module_of_the_page("verl"))

    def build(self, said: Mapping[str, Any]) -> tuple[Any, Any]:
        from verl.utils.megatron import optimizer as factory

        config = _configured(said)
        megatrons = factory.init_megatron_optim_config(config, use_distributed_optimizer=False, bf16=False)
        optimizer = factory.get_megatron_optimizer([self.model], megatrons)
        return optimizer, factory.get_megatron_optimizer_param_scheduler(optimizer, config)

    def step(self, scheduler: Any) -> None:
        scheduler.step(1)

    def save(self, folder: str, optimizer: Any, scheduler: Any) -> None:
        from verl.utils.megatron.dist_checkpointing import save_dist_checkpointing

        save_dist_checkpointing(self._state(optimizer, scheduler), folder)

    def load(self, folder: str, optimizer: Any, scheduler: Any) -> None:
        from verl.utils.megatron.dist_checkpointing import load_dist_checkpointing

        state = load_dist_checkpointing(self._state(optimizer, scheduler, is_loading=True), folder)
        optimizer.load_state_dict(state["optimizer"])
        scheduler.load_state_dict(state["lr_scheduler"])

    def _state(self, optimizer: Any, scheduler: Any, **options: bool) -> dict[str, Any]:
        model = self.model.module.sharded_state_dict()
        return {"optimizer": optimizer.sharded_state_dict(model, **options), "lr_scheduler": scheduler.state_dict()}

    def ask(self, optimizer: Any, scheduler: Any) -> list[str]:
        from verl.utils.megatron.optimizer import get_megatron_last_lr

        scheduler.step(5)
        assert get_megatron_last_lr(optimizer) == scheduler.get_lr(optimizer.param_groups[0]) < MAX_LR
        return []


def _configured(said: Mapping[str, Any]) -> Any:
    """Return what verl makes of its own file and of words as on its command line."""
    import hydra
    import verl
    from verl.utils.config import omega_conf_to_dataclass

    style = said["lr"]
    if not isinstance(style, str):
        style = "{" + ", ".join(f"{key}: {value}" for key, value in style.items()) + "}"
    words = [
        *(f"lr={MAX_LR}", f"min_lr={MIN_LR}", "weight_decay=0.1", f"lr_decay_style={style}"),
        *(f"lr_warmup_steps={WARMUP}", f"total_training_steps={ITERATIONS}", "lr_wsd_decay_steps=5"),
        *(f"lr_wsd_decay_style={said.get('tail', 'exponential')}", "use_checkpoint_opt_param_scheduler=True"),
    ]
    folder = Path(verl.__file__).parent / "trainer" / "config" / "optim"
    with hydra.initialize_config_dir(str(folder), version_base=None):
        return omega_conf_to_dataclass(hydra.compose("megatron", words))


def prepare() -> None:
    """Nothing is missing that a stand-in could be for."""


def trial() -> Framework:
    """Return the framework, at the first import of its modules."""
    import gpt
    import verl.workers.engine.megatron.transformer_impl  # noqa: F401  its factory is imported as there

    return Verl(gpt.build_model(vocabulary=32, layers=1, hidden=8, heads=2, length=8))
