"""Whatever is wrong with a state, a load succeeds or says so in a `StateError`, and never does half of it.

Run as a program, it loads the biggest states, in a process that may not take much memory.
"""

import contextlib
import copy
import functools
import importlib.metadata
import importlib.util
import json
import logging
import math
import random
import shutil
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedframe import OptimizerParamScheduler, SchedframeWarning, StateError
from schedframe._plan.plan import Parent
from schedframe._plan.rule import GroupRule, Match
from schedframe._run.groups.roles import Roles
from schedframe._run.policy import KEYS
from schedframe._run.resume.write import TEN_KEYS
from schedframe.styles._warmup import Warmup
from schedframe.styles.lr import Polynomial
from schedframe.styles.wd import WDLinear

from ..states import LEGACY, as_written, with_details

pytestmark = pytest.mark.no_cover

FLAGS = {"strict": (False, False), "checkpoint": (True, False), "override": (False, True)}

RUN: dict[str, Any] = {
    "init_lr": 0.01,
    "max_lr": 1.0,
    "min_lr": 0.1,
    "lr_warmup_steps": 10,
    "lr_decay_steps": 110,
    "lr_decay_style": {"style": "WSD", "wsd_decay_steps": 30, "lr_wsd_decay_style": "minus_sqrt"},
    "start_wd": 0.1,
    "end_wd": 0.2,
    "wd_incr_steps": 100,
    "wd_incr_style": "cosine",
}
RUNS: dict[str, dict[str, Any]] = {
    "WSD": {},
    "cosine": {"lr_decay_style": "cosine"},
    "inverse-square-root": {"lr_decay_style": "inverse-square-root", "wd_incr_style": "linear"},
    "geometric": {"lr_decay_style": "geometric", "wd_incr_style": "geometric"},
    "multi-step": {
        "lr_decay_style": {"style": "multi-step", "milestones": [0.5, 0.9], "multipliers": [0.3, 0.1]},
        "wd_incr_style": "exponential",
    },
    "polynomial": {"lr_decay_style": {"style": "polynomial", "power": 1.5}, "lr_warmup_steps": 0},
    "starts later": {"start_step": 40},
    "no weight decay": {"start_wd": None, "end_wd": None, "lr_decay_style": "linear", "wd_incr_style": "constant"},
    "constant": {"lr_decay_style": "constant", "end_wd": 0.1, "wd_incr_style": "constant"},
}
RULES = (
    GroupRule("slow", Match("index", 1), (("init_lr", 0.001), ("max_lr", 0.5), ("min_lr", 0.05)), 0.5, None),
    GroupRule(
        "curved",
        Match("key", (("wd_mult", 2.0),)),
        (
            ("end_wd", 0.3),
            ("lr_style", Polynomial(power=1.5)),
            ("lr_warmup_steps", 20),
            ("lr_warmup_style", Warmup(style="cosine")),
            ("wd_style", WDLinear()),
        ),
        None,
        0.25,
    ),
)
RUNS["rules"] = {"roles": Roles(RULES, ("default", "slow", "slow+curved", "curved"))}
if importlib.util.find_spec("schedframe_rex"):
    RUNS["rex"] = {"lr_decay_style": {"style": "rex", "beta": 0.7}}
    RUNS["WSD, rex"] = {"lr_decay_style": {"style": "WSD", "wsd_decay_steps": 50, "lr_wsd_decay_style": "rex"}}

POSITIONS = (40, 45, 95, 130)
"""Where a state is saved: where some start, in a warmup, in a cooldown, past the end."""

NUMBERS = [key for key in TEN_KEYS if key not in ("lr_decay_style", "wd_incr_style")]


class Optimizer:
    """Groups that follow, one with its own bounds, one with half the weight decay, one with twice."""

    def __init__(self, max_lr: float, min_lr: float, *more: dict[str, Any]) -> None:
        self.param_groups: list[dict[str, Any]] = [
            {"params": [], "max_lr": max_lr, "min_lr": min_lr, "default_config": True},
            {"params": [], "max_lr": 5.0, "min_lr": 0.5, "start_wd": 0.3, "end_wd": 0.6, "default_config": False},
            {"params": [], "wd_mult": 0.5, "max_lr": None, "default_config": False},
            {"wd_mult": 2.0},
            *map(dict, more),
        ]


class Hostile:
    """A value that can be looked at in no way."""

    def _fail(self, *arguments: object) -> Any:
        raise RuntimeError("looked at")

    __repr__ = __str__ = __eq__ = __lt__ = __bool__ = __float__ = __iter__ = __len__ = __getattr__ = _fail
    __hash__ = object.__hash__


JUNK: tuple[Any, ...] = (
    *(None, True, False, "", "50", "1e-3", "nan", "cosine", "current", b"50", bytearray(b"x"), "\ud800", "\0"),
    *([], [1.0], {}, {"a": {"b": [1, {"c": None}]}}, {"style": "cosine"}, (), (1,), set(), range(3), {1: 2}),
    *(10**400, -(10**400), 10**5000, -1, -1.0, 0, -0.0, 0.5, 45, 45.5, 1e308, -1e308, 5e-324, -5e-324),
    *(math.nan, math.inf, -math.inf, sys.float_info.max, int(sys.float_info.max), 10**308, 2**53 + 1),
    *(Decimal("1.0"), Decimal("NaN"), Decimal("sNaN"), Decimal("1e999"), Fraction(1, 3), Fraction(10**400)),
    *(Fraction(1, 10**400), Fraction(-1), 1j, complex("nan"), object(), Hostile(), Hostile, print, ...),
)

JSON_JUNK: tuple[Any, ...] = (
    *(None, True, False, "", "50", "nan", "current", "\ud800", "\0", [], [1.0], {}, {"a": {"b": [1]}}, [[[[]]]]),
    *(10**400, -1, -1.0, 0, -0.0, 0.5, 1, 1.0, 2, 45, 1e308, -1e308, 5e-324, math.nan, math.inf, -math.inf),
    *("x" * 10_000, list(range(500)), {"style": "cosine"}, {"style": None}, {"style": ["cosine"]}, {"style": {}}),
)

EXTREMES = (0, 5e-324, 1e-300, 0.1, 1, 40, 45, 1e9, 9e99, 10**100, 1e100, 1e101, 1.7e308, 10**308, sys.float_info.max)

TRAPS = ("os:system", "__import__", "builtins", "eval", "trap", "trap:Trap", "trap.Trap", "../trap", "schedframe")
"""Names that must stay names; ``trap`` is a module on the path that tells when it is imported."""


def nested(depth: int) -> dict[str, Any]:
    style: Any = "linear"
    for _ in range(depth):
        style = {"style": "WSD", "wsd_decay_steps": 3, "lr_wsd_decay_style": style}
    return style


STYLES: tuple[dict[str, Any], ...] = (
    *({"style": name} for name in (*TRAPS, "", "cosine", "geometric", "constant", "WSD", "wsd", "1-sqrt", "rex")),
    *({"style": name} for name in ("inverse-square-root", "exponential", "multi-step", "Cosine", "cosine\0", "\ud800")),
    *({"style": "cosine", "power": 2}, {"style": "cosine", "__class__": "trap"}, {"style": "cosine", "": 0}),
    *({"style": "polynomial", "power": power} for power in JSON_JUNK),
    *({"style": "rex", "beta": beta} for beta in (0, 1, 0.5, -1, math.nan, "0.5", True, 10**400, None)),
    *({"style": "WSD", "wsd_decay_steps": steps} for steps in ("20%", "1_000", "3M", *JSON_JUNK)),
    *({"style": "WSD", "wsd_decay_steps": 30, "lr_wsd_decay_style": tail} for tail in (*TRAPS, *JSON_JUNK)),
    *({"style": "multi-step", "milestones": marks, "multipliers": [0.5]} for marks in ([0.5], [2], [0], 1, "0.5", {})),
    *({"style": "multi-step", "milestones": [0.5], "multipliers": [by]} for by in (*JSON_JUNK, 2, 1e300)),
    *map(nested, (2, 3, 10, 100, 900)),
)

WARMUPS: tuple[Any, ...] = (
    *({"style": style} for style in ("linear", "cosine", "quadratic", *TRAPS, *JSON_JUNK)),
    *({"style": "linear", "shift": shift} for shift in JSON_JUNK),
    *({"style": "cosine", "stretched": value} for value in JSON_JUNK),
)

GROUPS: tuple[Any, ...] = (
    *([rule.table()] for rule in RULES),
    *([rule.table() for rule in RULES[::-1]], [RULES[0].table()] * 2, [{}], [[]], {"slow": RULES[0].table()}),
)


def changed_rule(draw: random.Random) -> dict[str, Any]:
    """A rule of which one part is another."""
    rule = json.loads(json.dumps(draw.choice(RULES).table()))
    at = rule if draw.random() < 0.5 else rule["values"]
    key = draw.choice([*at, "lr_style", "wd_style", "clock", "groups", "x"])
    styles = STYLES if draw.random() < 0.5 else WARMUPS
    at[key] = draw.choice((*styles, *JSON_JUNK)) if draw.random() < 0.8 else at.pop(key, None)
    return rule


SOURCES: tuple[Any, ...] = (
    *({"lr_style": source} for source in (None, 1, "trap", [], {}, {"name": 1}, {"nme": "x"}, {"version": True})),
    *({"lr_style": {"name": "gone", "target": "trap:Trap", "distribution": "trap", "version": "\n;1"}}, {"": {}}),
    *({"lr_style": {"name": "rex", "target": "rex:Rex", "distribution": name, "version": None}} for name in ("", "x")),
    *({"lr_style.lr_wsd_decay_style": {"name": "minus_sqrt", "distribution": "x"}, "wd_style": {"name": "cosine"}},),
    *({"lr_style." * 1000: {"distribution": "x"}}, {f"lr_style.{n}": {"distribution": f"x{n}"} for n in range(1000)}),
)


class World:
    """What a load may see: the plugin of ours, where it is installed, and a module that must not be imported."""

    def __init__(self, folder: Path) -> None:
        plugin = importlib.util.find_spec("schedframe_rex")
        if plugin and plugin.origin:
            shutil.copy(plugin.origin, folder)
            for file in importlib.metadata.files("schedframe-rex") or ():
                if file.parts[0].endswith(".dist-info"):
                    (folder / file).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(str(file.locate()), folder / file)
        self.sprung = folder / "sprung"
        (folder / "trap.py").write_text(f"open({str(self.sprung)!r}, 'w').close()\nTrap = print\n")
        self.path = [str(folder), *(entry for entry in sys.path if "site-packages" not in entry)]

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Look up styles among few distributions; at the end nothing was imported, and nothing executed."""
        path, modules = list(sys.path), set(sys.modules)
        sys.path[:] = self.path
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SchedframeWarning)
                yield
        finally:
            sys.path[:] = path
        assert set(sys.modules) - modules == set()
        assert not self.sprung.exists()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The small world, with every module that a load needs already there."""
    return prepared(World(tmp_path_factory.mktemp("world")))


def prepared(world: World) -> World:
    for style in ({"style": "gone"}, {"style": "cosine", "power": 2}):
        scheduler, state = build("checkpoint"), of_style(saved_states()[0][1], style)
        with pytest.raises(StateError):
            scheduler.load_state_dict(state)
    return world


@functools.cache
def styles(name: str) -> dict[str, Any]:
    """The styles of the run `name`, found among all distributions once."""
    said = {**RUN, **RUNS[name]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SchedframeWarning)
        scheduler = OptimizerParamScheduler(Optimizer(said["max_lr"], said["min_lr"]), **said)
    return {"lr_decay_style": scheduler.lr_style, "wd_incr_style": scheduler.wd_style}


def build(policy: str, name: str = "WSD", *more: dict[str, Any], **changes: Any) -> OptimizerParamScheduler:
    """A scheduler of the run `name`, with `changes`, over the groups of `Optimizer` and `more`."""
    use_checkpoint, override = FLAGS[policy]
    flags = {"use_checkpoint_opt_param_scheduler": use_checkpoint, "override_opt_param_scheduler": override}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SchedframeWarning)
        said = {**RUN, **RUNS[name], **styles(name), **flags, **changes}
        return OptimizerParamScheduler(Optimizer(said["max_lr"], said["min_lr"], *more), **said)


_SAVED: list[tuple[str, dict[str, Any]]] = []


def saved_states() -> list[tuple[str, dict[str, Any]]]:
    """Real states, each with the name of its run: ours, without our key as Megatron's, with its older spellings."""
    if not _SAVED:
        for name in RUNS:
            for position in POSITIONS:
                scheduler = build("strict", name)
                scheduler.step(position - scheduler.num_steps)
                state = scheduler.state_dict()
                ten = {key: state[key] for key in TEN_KEYS}
                older = {LEGACY.get(key, key): value for key, value in state.items()}
                _SAVED.extend((name, said) for said in (state, state, ten, older))
    return _SAVED


def of_style(state: Mapping[Any, Any], style: dict[str, Any]) -> dict[Any, Any]:
    """`state` as a run of `style` would have written it."""
    return as_written({**state, "lr_decay_style": style["style"]}, lr_style=style)


def fitting(state: Mapping[Any, Any]) -> dict[Any, Any]:
    """`state` with a digest and a fingerprint of what it says, where it says anything."""
    try:
        return as_written(state)
    except Exception:
        return dict(state)


def change_a_key(state: dict[Any, Any], draw: random.Random) -> None:
    state[draw.choice([*TEN_KEYS, *TEN_KEYS, *LEGACY.values(), "schedframe"])] = draw.choice(JUNK)


def change_a_number(state: dict[Any, Any], draw: random.Random) -> None:
    key = draw.choice([key for key in state if isinstance(state[key], float | int)] or [*TEN_KEYS])
    state[key] = draw.choice([value for value in JUNK if isinstance(value, float | int)])


def scale_a_number(state: dict[Any, Any], draw: random.Random) -> None:
    key = draw.choice([key for key in state if isinstance(state[key], float | int)] or [*TEN_KEYS])
    with contextlib.suppress(Exception):  # another change may have left no number, or one that is too large
        state[key] = draw.choice((state[key] * draw.choice((-1, 1e-300, 0.5, 2, 10**9)), str(state[key])))


def change_many_numbers(state: dict[Any, Any], draw: random.Random) -> None:
    for key in state:
        if isinstance(state[key], float | int) and draw.random() < 0.4:
            state[key] = draw.choice(EXTREMES)
    if draw.random() < 0.3:
        _rewrite(state, "init_lr", draw.choice((*EXTREMES, -1e308)))


def drop_a_key(state: dict[Any, Any], draw: random.Random) -> None:
    state.pop(draw.choice([*state]))


def add_a_key(state: dict[Any, Any], draw: random.Random) -> None:
    state[draw.choice((None, 3, (), b"max_lr", "lr_style", *LEGACY.values()))] = draw.choice(JUNK)


def name_another_style(state: dict[Any, Any], draw: random.Random) -> None:
    state[draw.choice(("lr_decay_style", "wd_incr_style", "decay_style"))] = draw.choice(STYLES)["style"]


def change_a_detail(state: dict[Any, Any], draw: random.Random) -> None:
    keys = ("format", "init_lr", "start_step", "lr_style", "wd_style", "sources", "fingerprint", "digest")
    key = draw.choice((*keys, "groups", "lr_warmup_style"))
    junk = {"format": (1, 2, True, 1.0, "1", 10**30), "sources": SOURCES, "lr_style": STYLES, "wd_style": STYLES}
    junk.update(groups=(*GROUPS, [changed_rule(draw)]), lr_warmup_style=WARMUPS)
    _rewrite(state, key, draw.choice((*junk.get(key, (1e308, 39, 41, 1000, "current")), *JSON_JUNK, ...)))


def change_a_style(state: dict[Any, Any], draw: random.Random) -> None:
    part, key = draw.choice(
        (("lr_style", "lr_decay_style"), ("lr_style", "decay_style"), ("wd_style", "wd_incr_style"))
    )
    style = draw.choice(STYLES)
    _rewrite(state, part, style)
    if key in state:
        state[key] = style["style"]


def change_the_start(state: dict[Any, Any], draw: random.Random) -> None:
    key, junk = draw.choice((("start_step", (39, 41, 1000, 1e308)), ("init_lr", (-1e308, 1e308, 3, "current"))))
    _rewrite(state, key, draw.choice((*junk, *JSON_JUNK)))


def _rewrite(state: dict[Any, Any], key: str, value: Any) -> None:
    with contextlib.suppress(Exception):  # what another change left there is no JSON any more
        state.update(with_details(state, **{key: value}))


def edit_the_text(state: dict[Any, Any], draw: random.Random) -> None:
    text = state.get("schedframe")
    if not isinstance(text, str):
        return
    at = draw.randrange(len(text) + 1)
    number = draw.choice(("NaN", "-Infinity", "1e999", "1" * 5000, "0x1", "1_0", "00", "1e-999"))
    state["schedframe"] = draw.choice(
        (
            text[:at],
            text[at:],
            text[:at] + chr(draw.randrange(0x110000)) + text[at + 1 :],
            text[:at] + text[: draw.randrange(len(text))] + text[at:],
            text.replace("{", '{"format": 2, "init_lr": [], "style": "trap", ', 1),
            text[:-1] + ', "format": true, "lr_style": {"style": "trap"}}',
            text.replace(": 0.01", f": {number}").replace(": 30", f": {number}").replace(": 0.7", f": {number}"),
            text.replace("null", number),
            text.encode(draw.choice(("utf-8", "utf-16", "utf-32-le", "utf-8-sig"))),
            bytes([draw.randrange(256)]) + text.encode(),
            "\ufeff" + text,
            f" {text}\n",
            json.dumps(text),
            f"[{text}]",
        )
    )


CHANGES: tuple[Callable[[dict[Any, Any], random.Random], None], ...] = (
    *(change_a_key, change_a_number, scale_a_number, change_many_numbers, drop_a_key, add_a_key),
    *(name_another_style, change_a_detail, change_a_style, change_the_start, edit_the_text),
)

Case = tuple[str, str, dict[Any, Any]]
"""The name of a run, what was done to its state, the state."""


def mutated(count: int, seed: int) -> list[Case]:
    """Return `count` states of `RUNS` that are broken in one to three ways, half of them fitting in themselves."""
    draw, cases = random.Random(seed), []
    for number in range(count):
        name, saved = draw.choice(saved_states())
        state: dict[Any, Any] = dict(saved)
        changes = [CHANGES[number % len(CHANGES)], *draw.choices(CHANGES, k=draw.choice((0, 0, 1, 2)))]
        for change in changes:
            if state:
                change(state, draw)
        if draw.random() < 0.5:
            state = fitting(state)
        cases.append((name, f"{number}: {', '.join(change.__name__ for change in changes)}", state))
    return cases


def everything_of(scheduler: OptimizerParamScheduler) -> Any:
    """Return all attributes, what the groups hold, and the state; a later change is not seen through it."""
    groups = copy.deepcopy(scheduler.optimizer.param_groups)
    return dict(vars(scheduler)), copy.deepcopy(vars(scheduler._memory)), groups, scheduler.state_dict()


def twin(scheduler: OptimizerParamScheduler) -> OptimizerParamScheduler:
    """A scheduler that is built anew from what `scheduler` says now, at its position."""
    plan = scheduler.plan
    if plan.init_lr == "current":  # which is sound where nothing asks for it
        plan = replace(plan, init_lr=plan.min_lr)
    roles = Roles(scheduler.groups, scheduler._role_plans.roles.by_index) if scheduler.groups else Roles()
    more = [{**group} for group in scheduler.optimizer.param_groups[4:]]
    for group in more:
        del group["lr"], group["weight_decay"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SchedframeWarning)
        optimizer = Optimizer(scheduler.max_lr, scheduler.min_lr, *more)
        other = OptimizerParamScheduler.from_plan(plan, optimizer, roles=roles)
    other.num_steps = scheduler.num_steps
    other.step(0)
    return other


def values(scheduler: OptimizerParamScheduler) -> list[Any]:
    """What the groups hold of what the scheduler writes, each as the float that the optimizer takes it for."""
    written = ("lr", "weight_decay") if scheduler.start_wd is not None else ("lr",)
    held = [group[key] for group in scheduler.optimizer.param_groups for key in written]
    assert {type(value) for value in held} <= {float, int}
    return [float(value) for value in held]


def check(scheduler: OptimizerParamScheduler, state: Any, before: Any) -> bool:
    """Load `state`: it succeeds, and all is sound, or it is refused, and nothing has changed; say whether it did."""
    try:
        scheduler.load_state_dict(state)
    except StateError:
        assert everything_of(scheduler) == before, "it is changed by a load that was refused"
        return False
    assert {type(getattr(scheduler, key)) for key in NUMBERS} <= {float, int, type(None)}
    assert all(map(math.isfinite, values(scheduler))), f"it holds {values(scheduler)}"
    assert values(scheduler) == values(twin(scheduler)), "it is not what is built from what it says"
    for group in scheduler.optimizer.param_groups:
        assert float(group["lr"]) == float(scheduler.get_lr(group))
        if scheduler.start_wd is not None:
            assert float(group["weight_decay"]) == float(scheduler.get_wd(group)) * group.get("wd_mult", 1.0)
    after = copy.deepcopy(scheduler.optimizer.param_groups), scheduler.state_dict()
    scheduler.load_state_dict(state)
    assert (scheduler.optimizer.param_groups, scheduler.state_dict()) == after, "a second load is not the first"
    json.dumps(scheduler.state_dict(), allow_nan=False)
    for _ in range(3):
        scheduler.step(1)
        assert all(map(math.isfinite, values(scheduler))), f"after a step it holds {values(scheduler)}"
    return True


def faults(cases: list[Case], make: Callable[[str], OptimizerParamScheduler]) -> tuple[Counter[bool], list[str]]:
    """Load each case into what `make` returns for its run; count loads and refusals, and tell what is neither."""
    ready: dict[str, Any] = {}
    outcomes: Counter[bool] = Counter()
    told = []
    for name, what, state in cases:
        if name not in ready:
            scheduler = make(name)
            ready[name] = scheduler, everything_of(scheduler)
        try:
            loaded = check(ready[name][0], state, ready[name][1])
        except Exception as error:
            told.append(f"{type(error).__name__}: {short(error)}; {name}, {what}: {short(state)}")
            loaded = True
        if loaded:
            del ready[name]
        outcomes[loaded] += 1
    return outcomes, told


def short(value: object) -> str:
    try:
        text = str(value)
    except Exception:
        text = "what cannot be written"
    return text if len(text) < 1500 else f"{text[:1500]}..."


COUNT = 1_200


@pytest.fixture(scope="module")
def cases(world: World) -> list[Case]:
    return mutated(COUNT, seed=5)


def test_there_are_more_than_a_thousand_broken_states_of_all_runs(cases: list[Case]) -> None:
    assert len(cases) == COUNT >= 1_000
    assert {name for name, _, _ in cases} == set(RUNS)


RECEIVERS: dict[str, Callable[[str], OptimizerParamScheduler]] = {
    "strict": lambda name: build("strict", name),
    "checkpoint": lambda name: build("checkpoint", name),
    "override": lambda name: build("override", name),
    "strict, some keys": lambda name: build("strict", name, override_keys=some_keys(name)),
    "strict, all keys": lambda name: build("strict", name, override_keys=KEYS),
    "strict, a parent": lambda name: build("strict", name, parent=parent(name), max_lr=0.8),
    "strict, a parent and its rate": lambda name: build("strict", name, parent=parent(name), **CURRENT),
    "checkpoint, some keys": lambda name: build("checkpoint", name, override_keys=some_keys(name)),
    "checkpoint, its rate": lambda name: build("checkpoint", name, override_keys=("init_lr", "start_step"), **CURRENT),
    "checkpoint, no rate yet": lambda name: build("checkpoint", name, **CURRENT),
    "checkpoint, another run": lambda name: build("checkpoint", "WSD" if name == "cosine" else "cosine"),
    "checkpoint, a group that some styles cannot run": lambda name: build(
        "checkpoint", "cosine", NO_FLOOR, max_lr=0.9, min_lr=0.05
    ),
    "checkpoint, one end of a weight decay": lambda name: build("checkpoint", "WSD", override_keys=["start_wd"]),
    "override, its rate": lambda name: build("override", name, **CURRENT),
}
NO_FLOOR = {"min_lr": 0.0, "start_wd": 0.0, "end_wd": 0.0, "default_config": False}
CURRENT = {"init_lr": "current", "start_step": 40, "lr_warmup_steps": 20}


def some_keys(name: str) -> list[str]:
    return random.Random([*RUNS].index(name)).sample(KEYS, 5)


def parent(name: str) -> Parent:
    return Parent(build("strict", name).fingerprint, 45)


@pytest.mark.parametrize("receiver", FLAGS)
def test_each_is_loaded_or_refused_and_nothing_in_between(world: World, cases: list[Case], receiver: str) -> None:
    with world.entered():
        outcomes, told = faults(cases, RECEIVERS[receiver])
    assert not told, "\n".join([f"{len(told)} of {COUNT}:", *told[:20]])
    assert outcomes[False] > COUNT // 4
    assert outcomes[True] > COUNT // 10


@pytest.mark.parametrize("receiver", sorted({*RECEIVERS} - {*FLAGS}))
def test_so_it_is_where_more_is_given(world: World, cases: list[Case], receiver: str) -> None:
    """Each of these takes a third of the states, another one than the next."""
    some = cases[[*RECEIVERS].index(receiver) % 3 :: 3]
    with world.entered():
        outcomes, told = faults(some, RECEIVERS[receiver])
    assert not told, "\n".join([f"{len(told)} of {len(some)}:", *told[:20]])
    assert outcomes[False] > COUNT // 12
    assert outcomes[True] > 5


def outcome(policy: str, state: Any, name: str = "WSD", **changes: Any) -> str:
    """Load `state` into a scheduler that is built for it."""
    scheduler = build(policy, name, **changes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SchedframeWarning)
        return "loaded" if check(scheduler, state, everything_of(scheduler)) else "refused"


def ours(name: str = "WSD") -> dict[str, Any]:
    """What a run saves in its warmup."""
    return next(dict(state) for run, state in saved_states() if (run, state.get("num_steps")) == (name, 45))


@pytest.mark.parametrize("policy", FLAGS)
def test_text_that_is_cut_at_any_byte_is_refused(world: World, policy: str) -> None:
    state = ours("cosine")
    text = state["schedframe"].encode()
    scheduler = build(policy, "cosine")
    before = everything_of(scheduler)
    with world.entered():
        assert not any(check(scheduler, {**state, "schedframe": text[:length]}, before) for length in range(len(text)))


@pytest.mark.parametrize("policy", FLAGS)
def test_any_byte_of_the_text_may_be_another(world: World, policy: str) -> None:
    state, draw = ours("cosine"), random.Random(6)
    text = state["schedframe"].encode()
    flipped = [text[:at] + bytes([text[at] ^ 1 << draw.randrange(8)]) + text[at + 1 :] for at in range(len(text))]
    cases = [("cosine", f"byte {at}", {**state, "schedframe": other}) for at, other in enumerate(flipped)]
    with world.entered():
        outcomes, told = faults(cases, lambda name: build(policy, name))
    assert not told, "\n".join(told)
    assert outcomes[False] > len(text) // 2


@pytest.mark.parametrize("policy", FLAGS)
@pytest.mark.parametrize("name", ["WSD", "polynomial", "starts later", "rules"])
def test_a_flipped_bit_is_reported_or_changes_nothing(world: World, name: str, policy: str) -> None:
    """A bit of each byte of our key: the load is refused, or warns, or is that of the state as it was.

    Each byte is tried with one policy.
    """
    state = ours(name)
    text, first, told = state["schedframe"].encode(), build(policy, name), Counter[str]()
    first.load_state_dict(state)
    silent = []
    with world.entered():
        places = range([*FLAGS].index(policy), len(text), len(FLAGS))
        for at in places:
            flipped = text[:at] + bytes([text[at] ^ 1 << at % 8]) + text[at + 1 :]
            scheduler = build(policy, name)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                try:
                    scheduler.load_state_dict({**state, "schedframe": flipped})
                except StateError:
                    told["refused"] += 1
                    continue
            told["warned" if caught else "silent"] += 1
            if not caught and (scheduler.fingerprint, values(scheduler)) != (first.fingerprint, values(first)):
                silent.append(f"{at}: {flipped.decode()}")
    assert silent == []
    assert told["refused"] > len(places) // 2
    assert told["warned"] > (0 if policy == "strict" else 10)


NESTED = {
    "styles": ('"lr_style": ', '{"style": "WSD", "wsd_decay_steps": 3, "lr_wsd_decay_style": ', '"linear"', "}"),
    "an option": ('"lr_style": {"style": "polynomial", "power": ', "[", "2", "]"),
    "milestones": ('"lr_style": {"style": "multi-step", "multipliers": [0.1], "milestones": ', "[", "0.5", "]"),
    "a rate": ('"init_lr": ', '{"a": ', "0.01", "}"),
    "the digest": ('"digest": ', "[", '""', "]"),
    "the format": ('"format": ', "[", "1", "]"),
    "sources": ('"sources": ', '{"lr_style": ', "{}", "}"),
}


@pytest.mark.parametrize("policy", FLAGS)
@pytest.mark.parametrize("what", NESTED)
def test_nothing_nests_too_deeply(world: World, what: str, policy: str) -> None:
    state = ours()
    details = json.loads(state["schedframe"])
    before, opening, inside, closing = NESTED[what]
    key = before.split('"')[1]
    rest = json.dumps({name: value for name, value in details.items() if name != key})[:-1]
    end = "}" * before.count("{")
    with world.entered():
        for depth in (2, 3, 30, 100, 300, 480, 600, 900, 990, 100_000):
            text = f"{rest}, {before}{opening * depth}{inside}{closing * depth}{end}}}"
            assert outcome(policy, {**state, "schedframe": text}) in ("loaded", "refused")


@pytest.mark.parametrize("policy", FLAGS)
def test_no_key_takes_a_value_of_another_type(policy: str) -> None:
    state, scheduler = ours(), build(policy)
    before = everything_of(scheduler)
    for key in TEN_KEYS:
        right = (float, int, Fraction, Decimal) if key in NUMBERS else str
        left_alone = (None,) if key in ("start_wd", "end_wd") else ()
        for junk in JUNK:
            if isinstance(junk, bool) or not (isinstance(junk, right) or any(junk is value for value in left_alone)):
                assert not check(scheduler, {**state, key: junk}, before)


@pytest.mark.parametrize("policy", FLAGS)
@pytest.mark.parametrize("depth", [3, 300, 600, 100_000])
def test_no_key_nests_too_deeply(policy: str, depth: int) -> None:
    value: Any = []
    for _ in range(depth):
        value = [value]
    for key in TEN_KEYS:
        assert outcome(policy, {**ours(), key: value}) == "refused"


HIDDEN = (None, True, "50", 10**400, math.nan, Decimal(1), Fraction(10**400), [[[]]] * 2, object(), Hostile(), Hostile)


@pytest.mark.parametrize("policy", FLAGS)
def test_what_an_older_spelling_hides_is_not_looked_at(policy: str) -> None:
    state = ours("cosine")
    for key, older in LEGACY.items():
        for junk in HIDDEN:
            assert outcome(policy, {**state, older: state[key], key: junk}, "cosine") == "loaded"


@pytest.mark.parametrize("policy", FLAGS)
@pytest.mark.parametrize("state", [None, 3, "state", [], [("max_lr", 1.0)], Hostile(), {}, {Hostile(): 1}], ids=short)
def test_what_is_no_state_at_all_is_refused(state: Any, policy: str) -> None:
    assert outcome(policy, state) == "refused"


@pytest.mark.parametrize("policy", FLAGS)
@pytest.mark.parametrize("name", ["WSD", "no weight decay"])
def test_one_end_of_the_weight_decay_is_refused_or_left_alone(world: World, policy: str, name: str) -> None:
    state = ours()
    cases = []
    for key, other in (("start_wd", "end_wd"), ("end_wd", "start_wd")):
        rest = {left: value for left, value in state.items() if left != other}
        cases += [(name, key, {**rest, key: junk}) for junk in (*JUNK, 0.1, 0.2)]
    with world.entered():
        _, told = faults(cases, lambda name: build(policy, name))
    assert not told, "\n".join(told)


LARGE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a decay, times a group's wd_mult": ({"end_wd": 1.7e308, "num_steps": 130}, {}),
    "a warmup, times a group's own peak": (
        {"lr_warmup_steps": 1e308, "lr_decay_steps": 1.5e308, "num_steps": 9e307, "lr_decay_style": "linear"},
        {"lr_style": {"style": "linear"}},
    ),
    "a first rate, times the steps that are done": ({"num_steps": 0}, {"init_lr": -1e308}),
    "a peak and a first rate": ({"max_lr": 1e308, "lr_warmup_steps": 1, "num_steps": 0}, {"init_lr": -1e308}),
    "a floor above a group's peak": ({"max_lr": 1.7e308, "min_lr": 1e308, "num_steps": 50}, {}),
    "a start": ({"num_steps": 10**308}, {"start_step": 10**308}),
    "a multiplier, times a group's own peak": (
        {"lr_decay_style": "multi-step"},
        {"lr_style": {"style": "multi-step", "milestones": [0.42], "multipliers": [1e308]}},
    ),
}
"""Numbers that are finite each by itself."""


@pytest.mark.parametrize("what", LARGE)
def test_numbers_that_are_too_large_together_are_refused(world: World, what: str) -> None:
    ten, details = LARGE[what]
    state = fitting(with_details({**ours(), **ten}, **details))
    with world.entered():
        assert outcome("checkpoint", state) in ("loaded", "refused")


def test_a_style_that_a_group_cannot_run_is_refused_before_it_begins(world: World) -> None:
    first = build("checkpoint", "geometric")
    first.step(9)
    scheduler = build("checkpoint", "cosine", {"min_lr": 0.0, "default_config": False})
    before = everything_of(scheduler)
    with world.entered():
        assert not check(scheduler, first.state_dict(), before)


@pytest.mark.parametrize(("rate", "expected"), [(0.5, "loaded"), (3.0, "refused"), (1e308, "refused")])
def test_a_rate_that_the_checkpoint_says_obeys_the_rules_of_one_that_is_written(
    world: World, rate: float, expected: str
) -> None:
    state = fitting({**ours("constant"), "max_lr": rate, "min_lr": 0.0})
    with world.entered():
        assert outcome("override", state, **CURRENT) == expected


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
junk = plain | st.binary(max_size=20) | st.decimals() | st.fractions() | st.complex_numbers() | st.sampled_from(JUNK)
as_json = st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=9), inner), max_leaves=8)
keys = st.sampled_from([*TEN_KEYS, *LEGACY.values(), "schedframe"])
parts = st.sampled_from(["format", "init_lr", "start_step", "lr_style", "wd_style", "sources", "fingerprint", "digest"])


@settings(max_examples=100, deadline=None)
@given(
    saved=st.sampled_from(range(len(RUNS) * len(POSITIONS) * 4)),
    receiver=st.sampled_from(sorted(RECEIVERS)),
    dropped=st.lists(keys, max_size=1),
    changed=st.dictionaries(keys, junk | as_json, max_size=2),
    rewrite=st.dictionaries(parts, as_json | st.sampled_from(STYLES), max_size=2),
    fits=st.booleans(),
)
def test_hypothesis_finds_no_state_that_is_neither_loaded_nor_refused(
    world: World,
    saved: int,
    receiver: str,
    dropped: list[str],
    changed: dict[str, Any],
    rewrite: dict[str, Any],
    fits: bool,
) -> None:
    name, whole = saved_states()[saved]
    state = {key: value for key, value in whole.items() if key not in dropped}
    for part, value in rewrite.items():
        _rewrite(state, part, value)
    state.update(changed)
    if fits:
        state = fitting(state)
    scheduler = RECEIVERS[receiver](name)
    before = everything_of(scheduler)
    with world.entered():
        check(scheduler, state, before)


def biggest() -> Iterator[tuple[str, dict[Any, Any]]]:
    """Yield what a file of many megabytes may hold."""
    state, many = ours(), 200_000
    text, marks = state["schedframe"], [mark / 200 for mark in range(200)]
    sources = {f"lr_style.{number}": {"distribution": f"x{number}"} for number in range(2_000)}
    yield "brackets", {**state, "schedframe": "[" * (20 * many)}
    yield "braces", {**state, "schedframe": '{"a":' * (4 * many)}
    yield "a long text", {**state, "schedframe": json.dumps("x" * (50 * many))}
    yield "long bytes", {**state, "schedframe": b"\xff" * (50 * many)}
    yield "many digits", {**state, "schedframe": text.replace("0.01", "1" * (10 * many))}
    yield "many decimals", {**state, "schedframe": text.replace("0.01", "0.0" + "1" * (10 * many))}
    yield "a long exponent", {**state, "schedframe": text.replace("0.01", "1e-" + "1" * many)}
    yield "a long name", with_details(state, lr_style={"style": "x" * many})
    yield "a long name of Megatron's", {**{key: state[key] for key in TEN_KEYS}, "lr_decay_style": "x" * many}
    yield "many options", of_style(state, {"style": "cosine", **{f"o{number}": 0 for number in range(2000)}})
    yield "a long number", of_style(state, {"style": "polynomial", "power": "9" * many})
    yield "a long length", of_style(state, {"style": "WSD", "wsd_decay_steps": "9" * many})
    yield "a large exponent", of_style(state, {"style": "WSD", "wsd_decay_steps": "1e999999999"})
    yield "a small exponent", of_style(state, {"style": "polynomial", "power": "1e-999999999"})
    yield "milestones", of_style(state, {"style": "multi-step", "milestones": marks, "multipliers": marks})
    yield "sources", with_details(state, sources=sources)
    yield "sources of what is not there", with_details(of_style(state, {"style": "gone"}), sources=sources)
    yield "a long format", with_details(state, format="x" * (20 * many))
    yield "a long fingerprint", with_details(state, fingerprint="x" * (20 * many))
    yield "a long digest", with_details(state, digest=list(range(many)))
    yield "a large integer", {**state, "num_steps": 1 << (30 * many)}
    yield "a long list", {**state, "max_lr": [0.0] * (5 * many)}
    yield "long text for a number", {**state, "max_lr": "x" * (50 * many)}
    yield "many keys", {f"key {number}": number for number in range(many)}


def main(folder: Path) -> dict[str, list[str]]:
    """Load the biggest states with 1 GiB of address space, under each policy; say what each load came to."""
    import resource

    world = prepared(World(folder))
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    told: dict[str, list[str]] = {}
    for what, state in biggest():
        for policy in FLAGS:
            try:
                with world.entered():
                    came_to = outcome(policy, state)
            except (Exception, MemoryError) as error:
                came_to = f"{type(error).__name__}: {short(error)}"
            told.setdefault(what, []).append(came_to)
    return told


@pytest.mark.skipif(not importlib.util.find_spec("resource"), reason="needs resource.setrlimit")
def test_the_biggest_states_are_loaded_or_refused_in_little_memory(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.run.test_state_fuzz", str(tmp_path)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, encoding="utf-8", timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert len(told) == 24
    wrong = {what: outcomes for what, outcomes in told.items() if not set(outcomes) <= {"loaded", "refused"}}
    assert wrong == {}
    assert told["brackets"] == told["a large integer"] == ["refused"] * 3


if __name__ == "__main__":
    logging.getLogger("schedframe").setLevel(logging.CRITICAL)
    print(json.dumps(main(Path(sys.argv[1]))))
