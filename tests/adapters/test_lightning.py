"""A schedule in Lightning's Trainer."""

import csv
import runpy
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

import schedframe
from schedframe import ConfigError, SchedframeError, SchedframeWarning, Schedule, StateError
from tests.adapters import one_file

pl = pytest.importorskip("lightning.pytorch")

from lightning.pytorch.callbacks import GradientAccumulationScheduler, LearningRateMonitor  # noqa: E402
from lightning.pytorch.loggers import CSVLogger  # noqa: E402
from lightning.pytorch.plugins import MixedPrecision  # noqa: E402

from schedframe.adapters.lightning import ScheduleCLI, ScheduleMetrics, configure  # noqa: E402
from schedframe.adapters.torch import ScheduledLR  # noqa: E402
from tests.adapters.lightning_run import Model, checkpoints, fit  # noqa: E402
from tests.adapters.pages import PAGES, write_scripts  # noqa: E402

ROOT = Path(__file__).parents[2]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return one_file.write_file(tmp_path)


def expected(file: Path) -> list[one_file.Values]:
    schedule = schedframe.load(file)
    return one_file.expected(schedule.param_groups(one_file.Net()), schedule)


def weights(model: Any) -> list[torch.Tensor]:
    return list(model.net.state_dict().values())


def learning_rates(model: Model) -> list[float]:
    return [lr for [[lr, _]] in model.values.values()]


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def test_each_update_has_the_values_of_the_megatron_drop_in(file: Path, tmp_path: Path) -> None:
    model = Model(file)
    trainer = fit(model, tmp_path)
    assert trainer.global_step == one_file.UPDATES
    assert list(model.values.values()) == expected(file)


def test_a_killed_run_goes_on_to_the_same_weights(file: Path, tmp_path: Path) -> None:
    whole = Model(file)
    fit(whole, tmp_path)
    command = [sys.executable, "-m", "tests.adapters.lightning_run", str(file), str(tmp_path)]
    assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode < 0
    resumed = Model(file)
    fit(resumed, tmp_path, ckpt_path=tmp_path / "step=20.ckpt")
    assert list(resumed.values.values()) == expected(file)[20:]
    assert all(map(torch.equal, weights(resumed), weights(whole)))


def test_a_checkpoint_of_the_drop_in_goes_on_here_and_back(file: Path, tmp_path: Path) -> None:
    fit(Model(file), tmp_path, enable_checkpointing=True, callbacks=[checkpoints(tmp_path)])
    state = torch.load(tmp_path / "step=20.ckpt", weights_only=True)["lr_schedulers"][0]
    schedule = schedframe.load(file)
    optimizer = torch.optim.AdamW(schedule.param_groups(one_file.Net()), lr=1.0, weight_decay=0.1)
    drop_in = schedule.build(optimizer)
    drop_in.load_state_dict(state)
    assert one_file.values_of(optimizer) == expected(file)[20]
    assert drop_in.state_dict() == {key: value for key, value in state.items() if key != "last_epoch"}


class TestAnotherScheduler:
    """A run that another scheduler began goes on with a schedule, from Lightning's own checkpoint."""

    def begin(self, schedule: Schedule, folder: Path) -> None:
        def by_lambda(optimizer: Any, schedule: Schedule, trainer: Any) -> Any:
            for group in optimizer.param_groups:
                group["lr"] = 1.0
            scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, schedule.lr_at)
            return [optimizer], [{"scheduler": scheduler, "interval": "step"}]

        options = {"enable_checkpointing": True, "callbacks": [checkpoints(folder)]}
        fit(Model(schedule, wrap=by_lambda), folder, max_epochs=4, **options)

    @staticmethod
    def overriding(optimizer: Any, schedule: Schedule, trainer: Any) -> Any:
        return configure(optimizer, schedule, trainer, override_opt_param_scheduler=True)

    def test_where_the_curves_meet(self, tmp_path: Path) -> None:
        schedule = Schedule(train_iters=40, clock="iters", max_lr=1e-3, lr_decay_style="cosine")
        self.begin(schedule, tmp_path)
        model = Model(schedule, wrap=self.overriding)
        fit(model, tmp_path, ckpt_path=tmp_path / "step=20.ckpt")
        assert learning_rates(model) == schedule.lr_at(range(20, 40))

    def test_it_is_refused_where_they_do_not(self, tmp_path: Path) -> None:
        schedule = Schedule(train_iters=40, clock="iters", max_lr=1e-3)
        self.begin(schedule, tmp_path)
        model = Model(Schedule(train_iters=40, clock="iters", max_lr=2e-3), wrap=self.overriding)
        with pytest.raises(StateError, match=r"would jump: after 20 updates it is 0.0005, and the schedule has 0.001"):
            fit(model, tmp_path, ckpt_path=tmp_path / "step=20.ckpt")


class TestLength:
    def test_another_number_of_updates_is_refused(self, file: Path, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="train_samples = 320: is 40 updates, and the trainer makes 35"):
            fit(Model(file), tmp_path, max_epochs=7)

    @pytest.mark.parametrize(
        "options",
        [{"fast_dev_run": True}, {"max_epochs": -1, "max_steps": 40}, {"max_epochs": -1, "max_time": {"seconds": 0}}],
    )
    def test_a_trial_and_a_run_without_an_end_are_not(
        self, file: Path, tmp_path: Path, options: dict[str, Any]
    ) -> None:
        fit(Model(file), tmp_path, **options)

    def test_data_without_a_length_are_not(self, file: Path, tmp_path: Path) -> None:
        class Stream(torch.utils.data.IterableDataset[torch.Tensor]):
            def __iter__(self) -> Any:
                yield from torch.ones(9, 4, 4)

        model = Model(file)
        model.train_dataloader = lambda: torch.utils.data.DataLoader(Stream(), batch_size=None)
        assert fit(model, tmp_path, max_epochs=1).global_step == 5

    def test_an_accumulation_that_changes_can_be_run_without_the_trainer(self, file: Path, tmp_path: Path) -> None:
        model = Model(file, wrap=lambda optimizer, schedule, trainer: configure(optimizer, schedule))
        changing = GradientAccumulationScheduler({0: 1, 4: 2})
        assert fit(model, tmp_path, accumulate_grad_batches=1, callbacks=[changing]).global_step == 4 * 9 + 4 * 5


class TestLogs:
    def test_the_learning_rate_monitor_logs_both_by_role(self, file: Path, tmp_path: Path) -> None:
        logger = CSVLogger(tmp_path, name="", version="")
        monitor = LearningRateMonitor(log_weight_decay=True)
        fit(Model(file), tmp_path, logger=logger, log_every_n_steps=1, callbacks=[monitor])
        columns = [f"lr-AdamW/{role}{kind}" for role in ("default", "head") for kind in ("", "-weight_decay")]
        logged = {int(row["step"]): [float(row[column]) for column in columns] for row in rows_of(tmp_path)}
        assert list(logged.values()) == [[*body, *head] for body, head in expected(file)]

    def test_the_metrics_are_those_of_the_update_and_exact(self, file: Path, tmp_path: Path) -> None:
        logger = CSVLogger(tmp_path, name="", version="")
        fit(Model(file), tmp_path, logger=logger, log_every_n_steps=4, callbacks=[ScheduleMetrics()])
        rows = rows_of(tmp_path)
        assert [int(row["step"]) for row in rows] == list(range(3, 40, 4))
        assert [[float(row[f"schedule/{role}/lr"]) for role in ("default", "head")] for row in rows] == [
            [lr for lr, _ in values] for values in expected(file)[3::4]
        ]
        assert [float(row["schedule/tokens"]) for row in rows] == [at * 8 * 128 for at in range(3, 40, 4)]

    def test_metrics_without_a_schedule_are_refused(self, tmp_path: Path) -> None:
        model = Model(Schedule(max_lr=1.0, lr_decay_steps=1), wrap=lambda optimizer, *_: optimizer)
        with pytest.raises(SchedframeError, match="finds no ScheduledLR among the trainer's schedulers"):
            fit(model, tmp_path, callbacks=[ScheduleMetrics()])

    def test_groups_of_one_role_have_names_of_their_own(self) -> None:
        schedule = Schedule(max_lr=1.0, lr_decay_steps=10, clock="iters", start_wd=0.1)
        layers = [torch.nn.Linear(2, 2) for _ in range(3)]
        groups = [
            {**group, "weight_decay": wd}
            for layer, wd in zip(layers, (0.1, 0.0, 0.1), strict=True)
            for group in schedule.param_groups(layer)
        ]
        groups[2]["name"] = "default/1"
        optimizer = configure(torch.optim.AdamW(groups), schedule)["optimizer"]
        names = [group["name"] for group in optimizer.param_groups]
        assert names[::2] == ["default", "default/1"]
        assert len(set(names)) == 3

    def test_a_checkpoint_of_groups_without_names_loads(self, file: Path, tmp_path: Path) -> None:
        def unnamed(optimizer: Any, schedule: Schedule, trainer: Any) -> Any:
            configured = configure(optimizer, schedule, trainer)
            for group in optimizer.param_groups:
                del group["name"]
            return configured

        fit(Model(file, wrap=unnamed), tmp_path, enable_checkpointing=True, callbacks=[checkpoints(tmp_path)])
        monitor = LearningRateMonitor()
        model = Model(file)
        logger = CSVLogger(tmp_path, name="", version="")
        fit(model, tmp_path, ckpt_path=tmp_path / "step=20.ckpt", callbacks=[monitor], logger=logger)
        assert list(model.values.values()) == expected(file)[20:]


class TestRate:
    def test_a_step_once_an_epoch_is_noticed(self, file: Path, tmp_path: Path) -> None:
        def by_epoch(optimizer: Any, schedule: Schedule, trainer: Any) -> Any:
            return [optimizer], [ScheduledLR(optimizer, schedule)]

        with pytest.raises(SchedframeWarning, match=r"called 1 times for 10 updates.*'interval': 'step'"):
            fit(Model(file, wrap=by_epoch), tmp_path)

    def test_updates_that_mixed_precision_skips_are_not(self, file: Path, tmp_path: Path) -> None:
        class Overflows(Model):
            def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
                overflows = self.trainer.global_step in (0, 1, 2, 11, 25, 26)
                return super().training_step(batch, batch_idx) * (float("inf") if overflows else 1.0)

        plugin = MixedPrecision("16-mixed", "cpu", torch.amp.GradScaler("cpu"))
        model = Overflows(file)
        trainer = fit(model, tmp_path, plugins=[plugin])
        scheduler = trainer.lr_scheduler_configs[0].scheduler
        assert list(model.values.values()) == expected(file)
        assert (scheduler.rate.calls, scheduler.rate.updates) == (40, 34)

    def test_the_learning_rate_finder_is_not(self, file: Path, tmp_path: Path) -> None:
        finder = pl.callbacks.LearningRateFinder(num_training_steps=20, update_attr=False)
        model = Model(file)
        fit(model, tmp_path, callbacks=[finder])
        assert list(model.values.values()) == expected(file)

    def test_averaging_weights_at_a_learning_rate_of_its_own_is_not(self, file: Path, tmp_path: Path) -> None:
        averaging = pl.callbacks.StochasticWeightAveraging(swa_lrs=1e-5, swa_epoch_start=4, annealing_epochs=1)
        model = Model(file)
        fit(model, tmp_path, callbacks=[averaging])
        values = list(model.values.values())
        assert values[:15] == expected(file)[:15]
        assert values[-1][0][0] == 1e-5


class TestManualOptimization:
    class Manual(Model):
        """Steps two optimizers itself, the second one every other time."""

        automatic_optimization = False

        def __init__(self, schedule: Schedule, steps_schedulers: bool = True) -> None:
            super().__init__(schedule)
            self.critic = one_file.Net()
            self.steps_schedulers = steps_schedulers

        def configure_optimizers(self) -> Any:
            critic = torch.optim.SGD(self.critic.parameters(), lr=1.0)
            critics = Schedule(max_lr=0.1, train_iters=36, clock="iters")
            net = torch.optim.AdamW(self.net.parameters(), lr=1.0)
            return [configure(net, self.schedule), configure(critic, critics)]

        def training_step(self, batch: torch.Tensor, batch_idx: int) -> None:
            for each, (optimizer, scheduler) in enumerate(zip(self.optimizers(), self.lr_schedulers(), strict=True)):
                if batch_idx % 2 < each:
                    continue
                self.values.setdefault(each, []).append(one_file.values_of(optimizer)[0][0])
                optimizer.zero_grad()
                self.manual_backward((self.net, self.critic)[each](batch).square().mean())
                optimizer.step()
                if self.steps_schedulers:
                    scheduler.step()

    def test_each_optimizer_has_its_schedule(self, tmp_path: Path) -> None:
        model = self.Manual(Schedule(max_lr=1.0, train_iters=72, clock="iters", lr_decay_style="cosine"))
        logger = CSVLogger(tmp_path, name="", version="")
        options = {"logger": logger, "log_every_n_steps": 2, "callbacks": [ScheduleMetrics()]}
        fit(model, tmp_path, accumulate_grad_batches=1, **options)
        assert model.values[0] == model.schedule.lr_at(range(72))
        assert model.values[1] == Schedule(max_lr=0.1, train_iters=36, clock="iters").lr_at(range(32))
        logged = [row["schedule/0/default/lr"] for row in rows_of(tmp_path)]
        assert list(map(float, logged)) == model.values[0][1::2]
        assert float(rows_of(tmp_path)[0]["schedule/1/default/lr"]) == 0.1

    def test_a_scheduler_that_is_forgotten_is_noticed(self, tmp_path: Path) -> None:
        model = self.Manual(Schedule(max_lr=1.0, train_iters=72, clock="iters"), steps_schedulers=False)
        with pytest.raises(SchedframeWarning, match="called 0 times for 9 updates"):
            fit(model, tmp_path, accumulate_grad_batches=1)


class Plain(Model):
    """Takes its optimizer from the command line."""

    def __init__(self) -> None:
        super().__init__(Schedule(max_lr=1.0, lr_decay_steps=1))


class TestCommandLine:
    CHOSEN = "--lr_scheduler=schedframe.adapters.torch.ScheduledLR"
    COSINE = Schedule(train_iters=40, clock="iters", max_lr=1e-3, lr_warmup_steps=4, lr_decay_style="cosine")

    def run(self, folder: Path, *arguments: str, **trainer: Any) -> Any:
        trainer = {"max_epochs": 8, "accumulate_grad_batches": 2, "default_root_dir": folder, **trainer}
        quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
        options = [f"--trainer.{key}={str(value).lower()}" for key, value in {**quiet, **trainer}.items()]
        words = ["fit", "--trainer.accelerator=cpu", "--trainer.enable_checkpointing=false", *options, *arguments]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", SchedframeWarning)
            return ScheduleCLI(Plain, args=words, save_config_kwargs={"overwrite": True})

    def test_a_file_is_stepped_once_an_update_and_may_extend_another(self, tmp_path: Path) -> None:
        (tmp_path / "base.toml").write_text("train_iters = 40\nclock = 'iters'\nmax_lr = 1\nlr_decay_style = 'cosine'")
        file = one_file.write_file(tmp_path, "{extends: base.toml, max_lr: 1e-3, lr_warmup_steps: 4}")
        model = self.run(tmp_path, "--optimizer=AdamW", self.CHOSEN, f"--lr_scheduler.schedule={file}").model
        assert learning_rates(model) == self.COSINE.lr_at(range(40))

    def test_the_keys_can_be_given_and_the_saved_config_repeats_the_run(self, tmp_path: Path) -> None:
        keys = [f"--lr_scheduler.schedule.{key}={value}" for key, value in self.COSINE.to_dict().items()]
        model = self.run(tmp_path, "--optimizer=AdamW", self.CHOSEN, *keys).model
        again = self.run(tmp_path, f"--config={tmp_path / 'config.yaml'}").model
        assert learning_rates(model) == learning_rates(again) == self.COSINE.lr_at(range(40))

    def test_what_is_wrong_in_a_file_has_its_line(self, tmp_path: Path) -> None:
        file = one_file.write_file(tmp_path, "train_samples: 40\nmax_lr: 1e-3\nlr_decay_style: cosin\n")
        with pytest.raises(ConfigError, match=r"run\.yaml: line 3, lr_decay_style = 'cosin'.*did you mean 'cosine'"):
            self.run(tmp_path, "--optimizer=AdamW", self.CHOSEN, f"--lr_scheduler.schedule={file}")

    def test_another_number_of_updates_is_refused(self, tmp_path: Path) -> None:
        file = one_file.write_file(tmp_path, "{train_iters: 40, clock: iters, max_lr: 1e-3}")
        with pytest.raises(ConfigError, match="is 40 updates, and the trainer makes 10"):
            self.run(tmp_path, "--optimizer=AdamW", self.CHOSEN, f"--lr_scheduler.schedule={file}", max_epochs=2)

    def test_rules_by_name_are_refused(self, file: Path, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"make its groups with schedule\.param_groups\(model\)"):
            self.run(tmp_path, "--optimizer=AdamW", self.CHOSEN, f"--lr_scheduler.schedule={file}")

    def test_other_schedulers_are_stepped_as_ever(self, tmp_path: Path) -> None:
        stairs = ["--lr_scheduler=StepLR", "--lr_scheduler.step_size=1", "--lr_scheduler.gamma=0.5"]
        model = self.run(tmp_path, "--optimizer=AdamW", "--optimizer.lr=1.0", *stairs, max_epochs=2).model
        assert learning_rates(model) == [1.0] * 5 + [0.5] * 5


def test_the_script_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_scripts(PAGES / "use-in-lightning.md", tmp_path)
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", SchedframeWarning)
        trainer = runpy.run_path("train.py")["trainer"]
    assert trainer.global_step == 40
    assert "schedule/head/wd" in rows_of(tmp_path / "logs")[0]


OTHER_PACKAGE = """
import pytorch_lightning as pl, pytorch_lightning.cli
import sys, torch
from schedframe import Schedule
from schedframe.adapters.lightning import ScheduleCLI, ScheduleMetrics, configure

class Model(pl.LightningModule):
    def configure_optimizers(self):
        self.weight = torch.nn.Parameter(torch.ones(2))
        schedule = Schedule(max_lr=1.0, train_iters=4, clock="iters")
        return configure(torch.optim.SGD([self.weight], lr=9.0), schedule, self.trainer)

    def training_step(self, batch, batch_idx):
        print(self.trainer.optimizers[0].param_groups[0]["lr"])
        return (batch * self.weight).sum()

logger = pl.loggers.CSVLogger(sys.argv[1], name="", version="")
trainer = pl.Trainer(max_epochs=1, accelerator="cpu", callbacks=[ScheduleMetrics()], logger=logger, log_every_n_steps=1)
trainer.fit(Model(), torch.ones(4, 2))
assert issubclass(ScheduleCLI, pl.cli.LightningCLI)
assert "lightning" not in sys.modules
"""


def test_pytorch_lightning_is_used_where_it_is_imported(tmp_path: Path) -> None:
    pytest.importorskip("pytorch_lightning")
    command = [sys.executable, "-W", "ignore", "-c", OTHER_PACKAGE, str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert [float(row["schedule/default/lr"]) for row in rows_of(tmp_path)] == [1.0, 0.75, 0.5, 0.25]
