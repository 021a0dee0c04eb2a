"""Hooks: what installed plugins may say to a schedule, a scheduler and a foreign checkpoint."""

import inspect
import sys
import textwrap
from collections.abc import Iterator

import pytest

import schedframe
from schedframe import ConfigError, OptimizerParamScheduler, PluginError, Schedule, StateError, lr_styles
from schedframe._plugins.hooks import HOOKS, _manager, complaints_by_plugin

HEAD = "import schedframe\nfrom schedframe import hookimpl\n\ncalls = []\n\n"


@pytest.fixture(autouse=True)
def _fresh_manager(monkeypatch) -> Iterator[None]:
    monkeypatch.delenv("SCHEDFRAME_ALLOW", raising=False)
    monkeypatch.delenv("SCHEDFRAME_BLOCK", raising=False)
    _manager.cache_clear()
    yield
    _manager.cache_clear()


@pytest.fixture
def schedule() -> Schedule:
    return Schedule(max_lr=1.0, lr_decay_steps=100, lr_warmup_steps=10)


@pytest.fixture
def house(install):
    """Install a distribution whose module is a hook plugin; return the module's name."""

    def house(distribution: str, body: str, **metadata) -> str:
        module = f"{distribution.replace('-', '_')}_mod"
        install(distribution, HEAD + body, hooks={distribution: module}, **metadata)
        return module

    return house


def hook(name: str, argument: str, body: str) -> str:
    return f"@hookimpl\ndef {name}({argument}):\n    calls.append({argument})\n    {body}\n\n\n"


def check(body: str) -> str:
    return hook("schedframe_check", "schedule", body)


# schedframe_check


def complaints(schedule) -> list[str]:
    return [text for _, text in complaints_by_plugin(schedule)]


def test_complaints_of_every_plugin_are_collected_and_refuse_the_build(house, schedule, optimizer):
    house("acme-cap", check("return [f'max_lr {schedule.max_lr} is above the cap of 0.5']"))
    house("bolt-name", check("return ['no owner is named', 'no ticket either']"))
    groups = optimizer({"params": [], "lr": 7.0})
    with pytest.raises(ConfigError) as caught:
        schedule.build(groups)
    text = str(caught.value)
    assert text.startswith("the schedule has 3 problems:\n")
    assert sorted(line.strip() for line in text.splitlines()[1:]) == [
        "max_lr 1.0 is above the cap of 0.5",
        "no owner is named",
        "no ticket either",
    ]
    assert groups.param_groups == [{"params": [], "lr": 7.0}]


def test_a_complaint_about_a_file_names_the_file(house, optimizer, tmp_path):
    house("acme-file", check("return ['is not allowed here']"))
    path = tmp_path / "run.yaml"
    path.write_text("max_lr: 1.0\nlr_decay_steps: 100\n")
    schedule = schedframe.load(path)
    with pytest.raises(ConfigError) as caught:
        schedule.build(optimizer())
    assert str(caught.value) == f"{path}: is not allowed here"


@pytest.mark.parametrize("body", ["return []", "return None", "return ()", "pass"])
def test_a_plugin_without_complaints_lets_the_schedule_pass(house, schedule, optimizer, body):
    module = house("acme-content", check(body))
    schedule.build(optimizer())
    assert sys.modules[module].calls == [schedule]


@pytest.mark.parametrize("body", ["return 'one sentence'", "return ['one sentence']", "yield 'one sentence'"])
def test_one_complaint_may_be_a_plain_text(house, schedule, body):
    house("acme-text", check(body))
    assert complaints(schedule) == ["one sentence"]


@pytest.mark.parametrize("body", ["return 5", "return [5]", "return [None]", "return True"])
def test_complaints_that_are_no_texts_are_the_plugins_fault(house, schedule, optimizer, body):
    house("acme-odd", check(body))
    with pytest.raises(PluginError, match="acme-odd"):
        schedule.build(optimizer())


def test_complaints_and_contradictions_of_the_optimizer_are_reported_together(house, schedule, optimizer):
    house("acme-also", check("return ['is not allowed here']"))
    with pytest.raises(ConfigError) as caught:
        schedule.build(optimizer({"params": [], "max_lr": 5.0}))
    assert len(caught.value.problems) == 2
    assert "is not allowed here" in str(caught.value)


# schedframe_built


def test_each_plugin_sees_each_scheduler_once_after_its_first_values(house, schedule, optimizer):
    modules = [
        house(name, "seen = []\n\n" + hook("schedframe_built", "scheduler", "seen.append(GET)").replace("GET", seen))
        for name, seen in (("acme-log", "scheduler.optimizer.param_groups[0]['lr']"), ("bolt-log", "scheduler"))
    ]
    scheduler = schedule.build(optimizer())
    assert sys.modules[modules[0]].calls == sys.modules[modules[1]].calls == [scheduler]
    assert sys.modules[modules[0]].seen == [0.0]
    scheduler.step(5)
    scheduler.load_state_dict(scheduler.state_dict())
    assert len(sys.modules[modules[0]].calls) == 1
    other = schedule.build(optimizer())
    assert sys.modules[modules[0]].calls == [scheduler, other]


def test_the_bare_constructor_is_shown_too(house, optimizer):
    module = house("acme-bare", hook("schedframe_built", "scheduler", "pass"))
    scheduler = OptimizerParamScheduler(optimizer(), 0.0, 1.0, 0.0, 10, 100, "linear", 0.1, 0.1, 100, "constant")
    assert sys.modules[module].calls == [scheduler]


def test_no_hook_runs_in_a_step(house, schedule, optimizer):
    body = check("return []") + hook("schedframe_built", "scheduler", "pass")
    module = house("acme-step", body + hook("schedframe_read_state", "state", "return None"))
    scheduler = schedule.build(optimizer())
    calls = len(sys.modules[module].calls)
    for _ in range(5):
        scheduler.step(1)
    scheduler.state_dict()
    assert len(sys.modules[module].calls) == calls


# schedframe_read_state


TRANSLATE = "return {**state['megatron'], 'num_steps': state['acme_step']} if 'acme_step' in state else None"


def test_a_foreign_state_is_translated(house, schedule, optimizer):
    scheduler = schedule.build(optimizer())
    foreign = {"megatron": scheduler.state_dict(), "acme_step": 40}
    with pytest.raises(StateError):
        scheduler.load_state_dict(foreign)
    house("acme-state", hook("schedframe_read_state", "state", TRANSLATE))
    _manager.cache_clear()
    scheduler = schedule.build(optimizer(), override_opt_param_scheduler=True)
    foreign["megatron"].pop("schedframe")
    scheduler.load_state_dict(foreign)
    assert scheduler.num_steps == 40
    assert scheduler.optimizer.param_groups[0]["lr"] == schedule.lr_at(40)


def test_a_state_that_nobody_translates_is_read_as_it_is(house, schedule, optimizer):
    module = house("acme-shrug", hook("schedframe_read_state", "state", "return None"))
    scheduler = schedule.build(optimizer())
    scheduler.step(30)
    state = scheduler.state_dict()
    resumed = schedule.build(optimizer())
    resumed.load_state_dict(state)
    assert resumed.num_steps == 30
    assert sys.modules[module].calls == [state]


def test_the_first_translation_counts(house, schedule, optimizer):
    house("acme-shrug-2", hook("schedframe_read_state", "state", "return None"))
    house("acme-state-2", hook("schedframe_read_state", "state", TRANSLATE))
    scheduler = schedule.build(optimizer(), override_opt_param_scheduler=True)
    state = scheduler.state_dict()
    state.pop("schedframe")
    scheduler.load_state_dict({"megatron": state, "acme_step": 40})
    assert scheduler.num_steps == 40


@pytest.mark.parametrize("answer", ["5", "[1, 2]", "'num_steps'", "True"])
def test_a_translation_that_is_no_table_is_an_error_of_ours_and_changes_nothing(house, schedule, optimizer, answer):
    house("acme-nonsense", hook("schedframe_read_state", "state", f"return {answer}"))
    scheduler = schedule.build(optimizer())
    scheduler.step(20)
    with pytest.raises((PluginError, StateError)):
        scheduler.load_state_dict(scheduler.state_dict())
    assert scheduler.num_steps == 20


# Loading


def test_a_hook_plugin_is_loaded_at_the_first_build_and_not_before(house, schedule, optimizer):
    module = house("acme-late", check("return []"))
    list(lr_styles)
    lr_styles.listing()
    assert lr_styles["cosine"]
    Schedule(max_lr=1, lr_decay_steps=10, lr_decay_style="cosine").lr_at(5)
    assert module not in sys.modules
    schedule.build(optimizer())
    assert module in sys.modules


def test_a_hook_plugin_is_loaded_at_the_first_check(house, schedule):
    module = house("acme-check", check("return ['no']"))
    assert complaints(schedule) == ["no"]
    assert module in sys.modules


def test_a_hook_plugin_is_loaded_at_a_load(house, schedule, optimizer):
    scheduler = schedule.build(optimizer())
    module = house("acme-load", hook("schedframe_read_state", "state", "return None"))
    _manager.cache_clear()
    scheduler.load_state_dict(scheduler.state_dict())
    assert module in sys.modules


def test_styles_of_a_hook_plugin_work_without_its_hooks(install, schedule):
    style = """
from typing import Literal
from schedframe.styles import LRCurve


class Curve(LRCurve):
    style: Literal["hooked"] = "hooked"

    def coefficient(self, progress: float) -> float:
        return 1.0 - progress
"""
    install(
        "acme-hooked",
        style,
        lr_styles={"hooked": "acme_hooked_mod:Curve"},
        hooks={"acme": "no_such_module_of_acme"},
    )
    assert Schedule(max_lr=1, lr_decay_steps=10, lr_decay_style="hooked").lr_at(5) == 0.5


def test_an_object_may_be_a_hook_plugin(install, schedule):
    body = """
class House:
    @hookimpl
    def schedframe_check(self, schedule):
        return ["from an object"]


house = House()
"""
    install("acme-object", HEAD + body, hooks={"acme": "acme_object_mod:house"})
    assert complaints(schedule) == ["from an object"]


def test_a_function_that_is_not_marked_is_no_hook(house, schedule):
    house("acme-plain", "def schedframe_check(schedule):\n    return ['never asked']\n")
    assert complaints(schedule) == []


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("raise RuntimeError('no licence')", "RuntimeError: no licence"),
        ("import no_such_module_of_acme", "ModuleNotFoundError: No module named 'no_such_module_of_acme'"),
        ("raise SystemExit(2)", "SystemExit: 2"),
        ("def broken(:", "SyntaxError: "),
    ],
    ids=["runtime-error", "missing-module", "system-exit", "syntax-error"],
)
def test_a_hook_plugin_that_fails_to_import_is_named_with_the_way_out(
    house, schedule, optimizer, monkeypatch, body, says
):
    module = house("acme-fail-hook", body, version="4.2")
    with pytest.raises(PluginError) as caught:
        schedule.build(optimizer())
    text = str(caught.value)
    assert text.startswith(f"the hook plugin acme-fail-hook 4.2 ({module}) cannot be loaded: {says}")
    assert text.endswith("; repair or reinstall it, or set SCHEDFRAME_BLOCK=acme-fail-hook")
    assert caught.value.__cause__ is not None
    monkeypatch.setenv("SCHEDFRAME_BLOCK", "acme-fail-hook")
    assert schedule.build(optimizer())


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("schedframe_chekc", "; did you mean 'schedframe_check'?"),
        ("schedframe_build", "; did you mean 'schedframe_built'?"),
        ("pytest_runtest_setup", "."),
    ],
)
def test_an_unknown_hook_is_refused_with_the_nearest_name(house, schedule, optimizer, name, hint):
    module = house("acme-typo", hook(name, "schedule", "return []"))
    with pytest.raises(PluginError) as caught:
        schedule.build(optimizer())
    assert str(caught.value) == (
        f"the hook plugin acme-typo 1.0 ({module}) implements {name!r}, and there is no such hook{hint} The hooks: "
        "schedframe_check, schedframe_rules, schedframe_built, schedframe_read_state; repair or reinstall it, or set "
        "SCHEDFRAME_BLOCK=acme-typo"
    )


def test_a_hook_with_an_unknown_argument_is_refused(house, schedule, optimizer):
    house("acme-argument", hook("schedframe_check", "config", "return []"))
    with pytest.raises(PluginError, match=r"(?s)acme-argument 1\.0 .* cannot be loaded: .*'config'"):
        schedule.build(optimizer())


def test_an_incompatible_hook_plugin_is_refused_before_its_import(house, schedule, optimizer):
    module = house("acme-future-hook", check("return []"), requires="schedframe>=99")
    with pytest.raises(PluginError) as caught:
        schedule.build(optimizer())
    assert str(caught.value) == (
        f"the hook plugin acme-future-hook 1.0 ({module}) cannot be used: it requires schedframe>=99, and this is "
        f"schedframe {schedframe.__version__}; repair or reinstall it, or set SCHEDFRAME_BLOCK=acme-future-hook"
    )
    assert module not in sys.modules


@pytest.mark.parametrize(
    ("variable", "value"),
    [("SCHEDFRAME_BLOCK", "Acme_Barred.Hook"), ("SCHEDFRAME_ALLOW", ""), ("SCHEDFRAME_ALLOW", ",")],
)
def test_a_blocked_hook_plugin_is_not_loaded(house, schedule, optimizer, monkeypatch, variable, value):
    module = house("acme-barred-hook", "raise RuntimeError('loaded')")
    monkeypatch.setenv(variable, value)
    assert schedule.build(optimizer())
    assert module not in sys.modules


def test_an_allowed_hook_plugin_is_loaded_and_the_others_are_not(house, schedule, optimizer, monkeypatch):
    allowed = house("acme-allowed-hook", check("return []"))
    other = house("acme-other-hook", "raise RuntimeError('loaded')")
    monkeypatch.setenv("SCHEDFRAME_ALLOW", "acme_allowed_hook")
    schedule.build(optimizer())
    assert allowed in sys.modules
    assert other not in sys.modules


def test_a_variable_that_names_what_is_not_installed_is_an_error(schedule, optimizer, monkeypatch):
    monkeypatch.setenv("SCHEDFRAME_BLOCK", "no-such-dist")
    with pytest.raises(PluginError, match="SCHEDFRAME_BLOCK names 'no-such-dist', which is not installed"):
        schedule.build(optimizer())


def test_each_entry_point_of_one_distribution_is_loaded(install, schedule):
    body = "class House:\n    @hookimpl\n    def schedframe_check(self, schedule):\n        return [NAME]\n\n\n"
    module = (
        HEAD + body.replace("House", "A").replace("NAME", "'a'") + body.replace("House", "B").replace("NAME", "'b'")
    )
    points = {"a": "acme_many_mod:a", "b": "acme_many_mod:b"}
    install("acme-many", module + "a, b = A(), B()\n", hooks=points)
    assert sorted(complaints(schedule)) == ["a", "b"]


# Hooks that raise


@pytest.mark.parametrize("body", ["raise RuntimeError('out of cheese')", "raise ConfigError('x', [])", "yield 1 / 0"])
def test_a_check_that_raises_is_a_plugin_error_with_the_way_out(house, schedule, optimizer, body):
    house("acme-raise", "from schedframe import ConfigError\n\n" + check(body))
    with pytest.raises(PluginError) as caught:
        schedule.build(optimizer())
    text = str(caught.value)
    assert "schedframe_check" in text
    assert "acme-raise" in text
    assert "SCHEDFRAME_BLOCK" in text
    assert caught.value.__cause__ is not None


def test_only_the_plugin_that_raises_is_blamed(house, schedule, optimizer):
    house("acme-innocent", check("return []"))
    house("acme-guilty", check("raise RuntimeError('out of cheese')"))
    with pytest.raises(PluginError) as caught:
        schedule.build(optimizer())
    assert "acme-guilty" in str(caught.value)
    assert "acme-innocent" not in str(caught.value)


def test_a_built_hook_that_raises_is_a_plugin_error(house, schedule, optimizer):
    house("acme-raise-built", hook("schedframe_built", "scheduler", "raise RuntimeError('no dashboard')"))
    with pytest.raises(PluginError, match=r"schedframe_built .*acme-raise-built.* failed: RuntimeError: no dashboard"):
        schedule.build(optimizer())


def test_a_state_hook_that_raises_leaves_the_scheduler_unchanged(house, schedule, optimizer):
    house("acme-raise-state", hook("schedframe_read_state", "state", "raise RuntimeError('no such format')"))
    scheduler = schedule.build(optimizer())
    scheduler.step(20)
    before = dict(scheduler.optimizer.param_groups[0])
    with pytest.raises(PluginError, match=r"schedframe_read_state .*acme-raise-state.* failed: RuntimeError: no such"):
        scheduler.load_state_dict({**scheduler.state_dict(), "num_steps": 99})
    assert scheduler.num_steps == 20
    assert scheduler.optimizer.param_groups[0] == before


def test_a_hook_that_exits_does_not_end_the_program(house, schedule, optimizer):
    house("acme-exit", check("raise SystemExit(3)"))
    with pytest.raises(PluginError, match="acme-exit"):
        schedule.build(optimizer())


# The examples of the specifications


@pytest.fixture
def example(install):
    """Install the example in the specification of a hook as a distribution of its own."""

    def example(name: str) -> None:
        text = inspect.cleandoc(HOOKS[name].__doc__ or "").partition("::\n")[2]
        install(f"acme-{name}", textwrap.dedent(text), hooks={"acme": f"acme_{name}_mod"})

    return example


def test_the_example_of_a_check_refuses_a_max_lr_above_its_cap(example, optimizer):
    example("schedframe_check")
    assert Schedule(max_lr=1e-2, lr_decay_steps=10).build(optimizer())
    with pytest.raises(ConfigError, match=r"^the schedule: max_lr 0.011 is above this cluster's cap of 1e-2$"):
        Schedule(max_lr=1.1e-2, lr_decay_steps=10).build(optimizer())


def test_the_example_of_a_built_hook_tells_the_style_once(example, schedule, optimizer, capsys):
    example("schedframe_built")
    schedule.build(optimizer()).step(1)
    assert capsys.readouterr().out == "lr style: linear\n"


def test_the_example_of_a_state_hook_translates_its_own_format_and_no_other(example, schedule, optimizer):
    example("schedframe_read_state")
    scheduler = schedule.build(optimizer(), override_opt_param_scheduler=True)
    state = scheduler.state_dict()
    scheduler.load_state_dict(state)
    assert scheduler.num_steps == 0
    state.pop("schedframe")
    scheduler.load_state_dict({"megatron": state, "my_trainer_step": 40})
    assert scheduler.num_steps == 40


def test_the_example_of_rules_finds_a_pilot_run(example):
    example("schedframe_rules")
    schedule = Schedule(max_lr=1e-3, train_samples=1000)
    (found,) = schedule.findings(select=["ACME01"])
    assert found.source.startswith("acme-schedframe_rules ")


def test_every_hook_has_an_example_that_runs():
    tried = {name for name in globals() if name.startswith("test_the_example_of_")}
    assert len(tried) == len(HOOKS)


def test_the_public_marker_is_the_one_that_counts():
    assert schedframe.hookimpl.project_name == "schedframe"


def test_two_entry_points_of_one_module_are_one_plugin(install, schedule):
    install("twice", HEAD + check("return ['too high']"), hooks={"one": "twice_mod", "two": "twice_mod"})
    assert complaints(schedule) == ["too high"]
