"""A schedule in Hugging Face's Trainer."""

import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

import schedframe
from schedframe import ConfigError, SchedframeError, SchedframeWarning, Schedule, StateError
from schedframe.adapters.torch import ScheduledLR
from tests.adapters import one_file

pytest.importorskip("transformers", reason="needs transformers")
pytest.importorskip("accelerate", reason="the Trainer needs accelerate")

from transformers import SchedulerType, Trainer
from transformers.trainer_pt_utils import LayerWiseDummyOptimizer

from schedframe.adapters import hf
from tests.adapters import hf_trainer

SHORT: dict[str, Any] = {"train_iters": 4, "clock": "iters", "max_lr": 1e-3, "lr_warmup_steps": 1, "start_wd": 0.1}
COSINE = {"train_iters": 40, "clock": "iters", "max_lr": 1e-3, "lr_warmup_steps": 4, "lr_decay_style": "cosine"}


class Run(NamedTuple):
    """A run of 40 updates with the one file, and a checkpoint after 20."""

    trainer: Trainer
    values: list[one_file.Values]
    weights: list[torch.Tensor]
    folder: Path

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint-20"

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The lines of its log that are about an update."""
        return [line for line in self.trainer.state.log_history if "loss" in line]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return one_file.write_file(tmp_path_factory.mktemp("file"))


@pytest.fixture(scope="module")
def schedule(file: Path) -> Schedule:
    return schedframe.load(file)


@pytest.fixture(scope="module")
def whole(file: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TENSORBOARD_LOGGING_DIR", str(folder / "events"))
        trainer, recorder = hf_trainer.make(folder, save_strategy="steps", save_steps=20, report_to=["tensorboard"])
        hf.log_metrics(hf.use(trainer, file)).train()
    return Run(trainer, recorder.values, hf_trainer.weights(trainer), folder)


def expected(schedule: Schedule, updates: int = one_file.UPDATES) -> list[one_file.Values]:
    """Return what the Megatron drop-in gives: HF's decayed and undecayed groups, each by the rules by name."""
    net = one_file.Net()
    ruled = schedule.param_groups(net)
    decayed = [{**group, "params": [group["params"][0]]} for group in ruled]
    undecayed = [{**group, "params": [group["params"][1]], "wd_mult": 0.0} for group in ruled]
    return one_file.expected([*decayed, *undecayed], schedule, updates)


def expected_of_short(updates: int = 4) -> list[one_file.Values]:
    schedule = Schedule(**SHORT)
    return [[[schedule.lr_at(update), 0.1], [schedule.lr_at(update), 0.0]] for update in range(updates)]


class TestRun:
    def test_every_update_gets_the_values_of_the_megatron_drop_in(self, whole: Run, schedule: Schedule) -> None:
        assert whole.values == expected(schedule)

    def test_the_learning_rate_of_a_line_is_that_of_the_update_before_it(self, whole: Run, schedule: Schedule) -> None:
        assert [line["step"] for line in whole.lines] == [*range(1, 41)]
        assert [line["learning_rate"] for line in whole.lines] == [lr for [[lr, _], *_] in expected(schedule)]

    def test_the_audit_of_its_log_finds_no_difference(self, whole: Run, schedule: Schedule) -> None:
        whole.trainer.state.save_to_json(str(whole.folder / "trainer_state.json"))
        audit = schedframe.audit(schedule, [whole.folder / "trainer_state.json"])
        assert audit.verdicts
        assert not audit.differs

    def test_metrics_are_of_the_same_update(self, whole: Run, schedule: Schedule) -> None:
        assert [line["schedule/default/lr"] for line in whole.lines] == [line["learning_rate"] for line in whole.lines]
        assert [line["schedule/head/wd"] for line in whole.lines] == [row[1][1] for row in expected(schedule)]
        assert [line["schedule/iters"] for line in whole.lines] == [*range(40)]

    def test_metrics_stand_in_no_other_line(self, whole: Run) -> None:
        summary = whole.trainer.state.log_history[-1]
        assert "train_runtime" in summary
        assert not any(name.startswith("schedule/") for name in summary)

    def test_a_tracker_gets_them(self, whole: Run) -> None:
        [events] = (whole.folder / "events").iterdir()
        assert b"train/schedule/head/lr" in events.read_bytes()

    def test_the_trainer_counts_as_without(self, whole: Run) -> None:
        state = whole.trainer.state
        assert (state.max_steps, state.global_step, state.epoch) == (40, 40, 1.0)

    def test_its_own_class_stays(self, whole: Run) -> None:
        assert type(whole.trainer).__name__ == "Trainer"
        assert isinstance(whole.trainer, hf.ScheduleTrainerMixin)

    def test_it_resumes_bit_for_bit_from_its_checkpoint(self, whole: Run, file: Path, tmp_path: Path) -> None:
        trainer, _ = hf_trainer.make(tmp_path, callbacks=(hf_trainer.Stop(25),), save_strategy="steps", save_steps=20)
        with pytest.raises(RuntimeError, match="the machine fails"):
            hf.use(trainer, file).train()
        trainer, recorder = hf_trainer.make(tmp_path)
        hf.use(trainer, file).train(resume_from_checkpoint=str(tmp_path / "checkpoint-20"))
        assert recorder.values == whole.values[20:]
        assert all(map(torch.equal, hf_trainer.weights(trainer), whole.weights))

    def test_its_checkpoint_goes_on_in_the_megatron_drop_in(self, whole: Run, schedule: Schedule) -> None:
        state = torch.load(whole.checkpoint / "scheduler.pt", weights_only=True)
        optimizer = torch.optim.AdamW(schedule.param_groups(one_file.Net()), lr=1.0)
        drop_in = schedule.build(optimizer)
        drop_in.load_state_dict(state)
        assert one_file.values_of(optimizer) == whole.values[20][:2]

    def test_a_checkpoint_of_the_drop_in_goes_on_in_the_trainer(
        self, whole: Run, schedule: Schedule, tmp_path: Path
    ) -> None:
        drop_in = schedule.build(torch.optim.AdamW(schedule.param_groups(one_file.Net()), lr=1.0))
        drop_in.step(20 * 8)
        checkpoint = shutil.copytree(whole.checkpoint, tmp_path / "checkpoint-20")
        torch.save(drop_in.state_dict(), checkpoint / "scheduler.pt")
        trainer, recorder = hf_trainer.make(tmp_path)
        hf.use(trainer, schedule).train(resume_from_checkpoint=str(checkpoint))
        assert recorder.values == whole.values[20:]


class TestTrainers:
    """The same, in each way in which a trainer gets its parts."""

    def test_a_second_training_begins_anew(self, tmp_path: Path) -> None:
        trainer, recorder = hf_trainer.make(tmp_path, 4)
        hf.use(trainer, Schedule(**SHORT))
        for _ in range(3):
            trainer.train()
        assert recorder.values == expected_of_short() * 3

    def test_a_model_that_is_made_for_each_training(self, tmp_path: Path) -> None:
        options = {"model": None, "model_init": hf_trainer.Net}
        trainer, recorder = hf_trainer.make(tmp_path, 4, options=options)
        hf.use(trainer, Schedule(**SHORT))
        for _ in range(2):
            trainer.train()
        assert recorder.values == expected_of_short() * 2

    def test_an_optimizer_that_was_given(self, tmp_path: Path) -> None:
        model = hf_trainer.Net()
        optimizer = torch.optim.AdamW(model.parameters(), lr=1.0, weight_decay=0.1)
        trainer, recorder = hf_trainer.make(tmp_path, 4, options={"model": model, "optimizers": (optimizer, None)})
        hf.use(trainer, Schedule(**SHORT)).train()
        assert recorder.values == [values[:1] for values in expected_of_short()]

    def test_a_class_with_the_mixin(self, tmp_path: Path) -> None:
        path = one_file.write_file(
            tmp_path, "{train_iters: 4, clock: iters, max_lr: 1e-3, lr_warmup_steps: 1, start_wd: 0.1}"
        )

        class Scheduled(hf.ScheduleTrainerMixin, Trainer):
            schedule = path

        trainer, recorder = hf_trainer.make(tmp_path, 4, trainer=Scheduled)
        trainer.train()
        assert recorder.values == expected_of_short()

    def test_use_replaces_the_schedule_of_such_a_class(self, tmp_path: Path) -> None:
        trainer, recorder = hf_trainer.make(tmp_path, 4, trainer=type("T", (hf.ScheduleTrainerMixin, Trainer), {}))
        hf.use(trainer, Schedule(**SHORT)).train()
        assert recorder.values == expected_of_short()

    def test_a_class_without_a_schedule_is_refused(self, tmp_path: Path) -> None:
        trainer, _ = hf_trainer.make(tmp_path, 4, trainer=type("T", (hf.ScheduleTrainerMixin, Trainer), {}))
        with pytest.raises(ConfigError, match=r"must be a schedframe.Schedule or the path of its file"):
            trainer.train()

    def test_metrics_need_no_schedule(self, tmp_path: Path) -> None:
        trainer, _ = hf_trainer.make(tmp_path, 4)
        hf.log_metrics(trainer).train()
        assert "learning_rate" in trainer.state.log_history[0]
        assert not any(name.startswith("schedule/") for name in trainer.state.log_history[0])


class TestRefused:
    def test_groups_that_were_all_made_without_weight_decay(self, tmp_path: Path) -> None:
        trainer, _ = hf_trainer.make(tmp_path, 4, weight_decay=0.0)
        with pytest.raises(ConfigError, match=r"weight_decay = 0\.0, the default of transformers.TrainingArguments"):
            hf.use(trainer, Schedule(**SHORT)).train()

    def test_the_same_with_rules_by_name(self, file: Path, tmp_path: Path) -> None:
        trainer, _ = hf_trainer.make(tmp_path, weight_decay=0.0)
        with pytest.raises(ConfigError, match=r"weight_decay = 0\.0, the default of transformers.TrainingArguments"):
            hf.use(trainer, file).train()

    def test_weight_decay_that_only_a_rule_has(self, tmp_path: Path) -> None:
        rule = {"role": "head", "match": {"param": "*head*"}, "start_wd": 0.1}
        trainer, _ = hf_trainer.make(tmp_path, 4, weight_decay=0.0)
        with pytest.raises(ConfigError, match="TrainingArguments"):
            hf.use(trainer, Schedule(**{**SHORT, "start_wd": None, "groups": [rule]})).train()

    def test_another_number_of_updates(self, tmp_path: Path) -> None:
        trainer, _ = hf_trainer.make(tmp_path, 5)
        with pytest.raises(ConfigError, match="train_iters = 4: is 4 updates, and the trainer makes 5"):
            hf.use(trainer, Schedule(**SHORT)).train()

    def test_a_scheduler_beside_the_schedule(self, tmp_path: Path) -> None:
        optimizer = torch.optim.AdamW(hf_trainer.Net().parameters())
        scheduler = torch.optim.lr_scheduler.ConstantLR(optimizer)
        trainer, _ = hf_trainer.make(tmp_path, 4, options={"optimizers": (optimizer, scheduler)})
        with pytest.raises(SchedframeError, match=r"was given a ConstantLR.*give it optimizers=\(optimizer, None\)"):
            hf.use(trainer, Schedule(**SHORT))

    def test_a_scheduler_in_a_class_with_the_mixin(self, tmp_path: Path) -> None:
        optimizer = torch.optim.AdamW(hf_trainer.Net().parameters())
        options = {"optimizers": (optimizer, torch.optim.lr_scheduler.ConstantLR(optimizer))}
        Scheduled = type("T", (hf.ScheduleTrainerMixin, Trainer), {"schedule": Schedule(**SHORT)})
        trainer, _ = hf_trainer.make(tmp_path, 4, trainer=Scheduled, options=options)
        with pytest.raises(SchedframeError, match=r"has a ConstantLR already.*without a `scheduler` block"):
            trainer.train()

    def test_a_rule_that_fits_no_parameter(self, tmp_path: Path) -> None:
        rules = [{"role": "router", "match": {"param": "*router*"}, "lr_mult": 2}]
        trainer, _ = hf_trainer.make(tmp_path, 4)
        with pytest.raises(ConfigError, match=r"matches no parameter that is trained"):
            hf.use(trainer, Schedule(**SHORT, groups=rules)).train()

    def test_optimizers_that_update_within_the_backward_pass(self, tmp_path: Path) -> None:
        trainer, _ = hf_trainer.make(tmp_path, 4)
        hf.use(trainer, Schedule(**SHORT))
        with pytest.raises(SchedframeError, match="layer-wise optimizers"):
            trainer.create_scheduler(4, LayerWiseDummyOptimizer({}))


class TestUnused:
    """What TrainingArguments say and the schedule decides."""

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            ({"learning_rate": 3e-4}, "learning_rate is 0.0003, and the schedule has max_lr 0.001"),
            ({"weight_decay": 0.3}, "weight_decay is 0.3, and the schedule has start_wd 0.1"),
            ({"warmup_steps": 2}, "warmup_steps is 2 updates, and the schedule has 1"),
            (
                {"lr_scheduler_type": "cosine"},
                "lr_scheduler_type is cosine, and the schedule has lr_decay_style linear",
            ),
        ],
    )
    def test_what_is_not_used_is_reported(self, arguments: dict[str, Any], told: str, tmp_path: Path) -> None:
        trainer, _ = hf_trainer.make(tmp_path, 4, **arguments)
        hf.use(trainer, Schedule(**SHORT)).create_optimizer()
        with pytest.warns(SchedframeWarning, match=told):
            trainer.create_scheduler(4)

    def test_what_is_the_same_is_not_reported(self, tmp_path: Path) -> None:
        trainer, _ = hf_trainer.make(tmp_path, 4, learning_rate=1e-3, warmup_steps=1)
        hf.use(trainer, Schedule(**SHORT)).create_optimizer_and_scheduler(4)
        assert isinstance(trainer.lr_scheduler, ScheduledLR)

    def test_weight_decay_that_is_not_scheduled_is_used(self, tmp_path: Path) -> None:
        trainer, recorder = hf_trainer.make(tmp_path, 4, weight_decay=0.3)
        hf.use(trainer, Schedule(**{**SHORT, "start_wd": None})).train()
        assert {(first, second) for [[_, first], [_, second]] in recorder.values} == {(0.3, 0.0)}


@pytest.fixture(scope="module")
def cosine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a checkpoint of HF's own cosine, after 20 updates."""
    folder = tmp_path_factory.mktemp("cosine")
    arguments = {"learning_rate": 1e-3, "lr_scheduler_type": "cosine", "warmup_steps": 4}
    saving = {"save_strategy": "steps", "save_steps": 20}
    trainer, _ = hf_trainer.make(folder, callbacks=(hf_trainer.Stop(21),), **arguments, **saving)
    with pytest.raises(RuntimeError, match="the machine fails"):
        trainer.train()
    return folder / "checkpoint-20"


class TestAnotherScheduler:
    """Going on from a run without a schedule."""

    def test_it_goes_on_at_its_update(self, cosine: Path, tmp_path: Path) -> None:
        trainer, recorder = hf_trainer.make(tmp_path)
        hf.use(trainer, Schedule(**COSINE), override_opt_param_scheduler=True)
        trainer.train(resume_from_checkpoint=str(cosine))
        assert [lr for [[lr, _], _] in recorder.values] == Schedule(**COSINE).lr_at(range(20, 40))

    def test_it_is_refused_where_the_curves_do_not_meet(self, cosine: Path, tmp_path: Path) -> None:
        trainer, _ = hf_trainer.make(tmp_path)
        hf.use(trainer, Schedule(**{**COSINE, "max_lr": 2e-3}), override_opt_param_scheduler=True)
        with pytest.raises(StateError, match=r"would jump: after 20 updates it is 0.000586824, and .* has 0.00117365"):
            trainer.train(resume_from_checkpoint=str(cosine))

    def test_it_is_refused_without_override(self, cosine: Path, tmp_path: Path) -> None:
        trainer, _ = hf_trainer.make(tmp_path)
        with pytest.raises(StateError, match="of another scheduler, after 20 updates"):
            hf.use(trainer, Schedule(**COSINE)).train(resume_from_checkpoint=str(cosine))


class TestByConfiguration:
    @pytest.fixture(autouse=True)
    def registered(self) -> Iterator[None]:
        hf.register()
        yield
        unregister()

    def arguments(self, folder: Path, **keys: Any) -> dict[str, Any]:
        path = folder / "short.json"
        path.write_text(Schedule(**{**SHORT, **keys}).model_dump_json(exclude_unset=True))
        return {"lr_scheduler_type": "schedframe", "lr_scheduler_kwargs": {"schedule": str(path)}}

    def test_the_type_of_the_scheduler_is_enough(self, tmp_path: Path) -> None:
        trainer, recorder = hf_trainer.make(
            tmp_path, 4, **self.arguments(tmp_path), save_strategy="steps", save_steps=2
        )
        hf.log_metrics(trainer).train()
        assert recorder.values == expected_of_short()
        assert trainer.state.log_history[1]["schedule/default/lr"] == 1e-3
        resumed, recorder = hf_trainer.make(tmp_path, 4, **self.arguments(tmp_path))
        resumed.train(resume_from_checkpoint=str(tmp_path / "checkpoint-2"))
        assert recorder.values == expected_of_short()[2:]
        assert all(map(torch.equal, hf_trainer.weights(resumed), hf_trainer.weights(trainer)))

    def test_a_second_registration_changes_nothing(self) -> None:
        before = list(SchedulerType)
        hf.register()
        assert list(SchedulerType) == before
        assert before[-1] is SchedulerType("schedframe") is SchedulerType["SCHEDFRAME"]

    def test_training_arguments_load_where_nothing_is_registered(self, tmp_path: Path) -> None:
        trainer, _ = hf_trainer.make(tmp_path, 4, **self.arguments(tmp_path))
        pickled = pickle.dumps(trainer.args)
        unregister()
        assert pickle.loads(pickled).lr_scheduler_type == "schedframe"

    def test_a_missing_schedule_is_reported(self, tmp_path: Path) -> None:
        trainer, _ = hf_trainer.make(tmp_path, 4, lr_scheduler_type="schedframe")
        with pytest.raises(SchedframeError, match=r"needs lr_scheduler_kwargs: {schedule: \.\.\.}"):
            trainer.create_optimizer_and_scheduler(4)

    def test_another_warmup_is_reported(self, tmp_path: Path) -> None:
        trainer, _ = hf_trainer.make(tmp_path, 4, **self.arguments(tmp_path), warmup_steps=3)
        with pytest.warns(SchedframeWarning, match="warmup_steps is 3 updates, and the schedule has 1"):
            trainer.create_optimizer_and_scheduler(4)

    def test_rules_by_name_need_use(self, tmp_path: Path) -> None:
        rules = [{"role": "head", "match": {"param": "*head*"}, "lr_mult": 2}]
        trainer, _ = hf_trainer.make(tmp_path, 4, **self.arguments(tmp_path, groups=rules))
        with pytest.raises(ConfigError, match=r"schedule.param_groups"):
            trainer.create_optimizer_and_scheduler(4)


def unregister() -> None:
    """Take the type away again, as in a process that never registered it."""
    SchedulerType._value2member_map_.pop("schedframe", None)
    if SchedulerType._member_map_.pop("SCHEDFRAME", None):
        SchedulerType._member_names_.remove("SCHEDFRAME")
