"""What all trials share: the page's lines, runs as lists of numbers, and stand-ins for what is absent.

A trial runs in a process of its own, whose path has the framework's checkout. It builds the scheduler with the
framework's functions, once with the class that they have and once after the lines of the how-to page.
"""

import importlib.machinery
import importlib.util
import re
import sys
import tempfile
import types
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "use-in-other-frameworks.md"

MAX_LR, MIN_LR = 3e-4, 3e-5
ITERATIONS, WARMUP, BATCH = 25, 2, 4
STEPS = ITERATIONS + 3
"""Three iterations past the end."""

TAILS = ("exponential", "linear", "cosine", "minus_sqrt")
STOCK: tuple[dict[str, Any], ...] = (
    *({"lr": style} for style in ("constant", "linear", "cosine", "inverse-square-root")),
    *({"lr": "WSD", "tail": tail} for tail in TAILS),
    {"lr": "cosine", "wd": "linear"},
    {"lr": "linear", "wd": "cosine"},
)
"""What Megatron's class knows."""

Numbers = list[tuple[tuple[float, float], ...]]
"""For each step, learning rate and weight decay of each group."""


def lines(name: str) -> str:
    """Return the lines that the page shows for one framework."""
    found = re.search(rf"<!-- tried: {name} -->\n```python\n(.*?)\n```", PAGE.read_text(), re.DOTALL)
    if found is None:
        raise LookupError(f"{PAGE.name} has no block of Python marked 'tried: {name}'")
    return found[1]


def module_of_the_page(name: str) -> str:
    """Write the page's lines as a module that a worker can import, and return its name."""
    folder = tempfile.mkdtemp()
    (Path(folder) / "use_schedframe.py").write_text(lines(name) + "\n")
    sys.path.insert(0, folder)
    return "use_schedframe"


class Framework(ABC):
    """One framework, with functions of its own for what a run does.

    Attributes:
        stock: the styles to compare.
        tables: whether a style's table passes the framework's own configuration.
        batch: what one iteration adds to the position.
    """

    stock: Sequence[Mapping[str, Any]] = STOCK
    tables = True
    batch = BATCH

    @abstractmethod
    def replace(self) -> None:
        """Do what the page's lines say, where they are said to stand."""

    @abstractmethod
    def build(self, said: Mapping[str, Any]) -> tuple[Any, Any]:
        """Return an optimizer and the scheduler that the framework builds for it."""

    @abstractmethod
    def step(self, scheduler: Any) -> None:
        """Step as the framework's loop does."""

    @abstractmethod
    def save(self, folder: str, optimizer: Any, scheduler: Any) -> None:
        """Save both as the framework does."""

    @abstractmethod
    def load(self, folder: str, optimizer: Any, scheduler: Any) -> None:
        """Load both as the framework does."""

    def before_its_own(self) -> None:  # noqa: B027
        """Do what is needed before a checkpoint of the framework's own class is loaded."""

    def ask(self, optimizer: Any, scheduler: Any) -> list[str]:
        """Ask what else the framework asks, and return what was seen."""
        return []

    def go(self, optimizer: Any, scheduler: Any, steps: int) -> Numbers:
        """Train for some iterations, and return what the groups held, at the start too."""
        seen = [_held(optimizer)]
        for _ in range(steps):
            optimizer.step()
            self.step(scheduler)
            seen.append(_held(optimizer))
        return seen


def _held(optimizer: Any) -> tuple[tuple[float, float], ...]:
    return tuple((float(group["lr"]), float(group["weight_decay"])) for group in optimizer.param_groups)


def tried(framework: Framework) -> str:
    """Run the trial, and return what was seen in one line.

    Raises:
        AssertionError: a number differs from what the framework's own class gives, or from what the schedule says.
    """
    from schedframe import OptimizerParamScheduler

    own = [framework.go(*framework.build(said), STEPS) for said in framework.stock]
    optimizer, scheduler = framework.build(framework.stock[0])
    assert not isinstance(scheduler, OptimizerParamScheduler)
    framework.go(optimizer, scheduler, ITERATIONS // 2)
    its_checkpoint = tempfile.mkdtemp()
    framework.save(its_checkpoint, optimizer, scheduler)

    framework.replace()
    seen = [f"{_compare(framework, own)} values equal to its own class"]
    seen += _plugins(framework)
    seen.append(_resumed(framework, {"lr": "rex"}))
    seen += framework.ask(*framework.build({"lr": "rex"}))
    seen.append(_resumed_from_its_own(framework, its_checkpoint, own[0]))
    return "; ".join(seen)


def _compare(framework: Framework, own: list[Numbers]) -> int:
    from schedframe import OptimizerParamScheduler

    compared = 0
    for said, numbers in zip(framework.stock, own, strict=True):
        optimizer, scheduler = framework.build(said)
        assert isinstance(scheduler, OptimizerParamScheduler), f"a scheduler of {type(scheduler).__module__} was built"
        ours = framework.go(optimizer, scheduler, STEPS)
        assert ours == numbers, f"{said}: {_first_difference(ours, numbers)}"
        compared += sum(2 * len(groups) for groups in numbers)
    return compared


def _first_difference(ours: Numbers, others: Numbers) -> str:
    step, one, other = next(
        (step, *pair) for step, pair in enumerate(zip(ours, others, strict=True)) if pair[0] != pair[1]
    )
    return f"iteration {step}: {one}, not {other}"


def _plugins(framework: Framework) -> list[str]:
    from schedframe import Schedule

    styles: list[Any] = ["rex", *([{"style": "rex", "beta": 0.25}] if framework.tables else [])]
    for style in styles:
        optimizer, scheduler = framework.build({"lr": style})
        schedule = Schedule(
            lr_decay_steps=scheduler.lr_decay_steps,
            max_lr=MAX_LR,
            min_lr=MIN_LR,
            init_lr=scheduler.init_lr,
            lr_warmup_steps=scheduler.lr_warmup_steps,
            lr_decay_style=style,
        )
        for iteration, groups in enumerate(framework.go(optimizer, scheduler, STEPS)):
            wanted = schedule.lr_at(iteration * framework.batch)
            assert all(lr == wanted for lr, _ in groups), f"{style} at iteration {iteration}: {groups}, not {wanted}"
    return ["rex by name" + (" and with options" if framework.tables else "")]


def _resumed(framework: Framework, said: Mapping[str, Any]) -> str:
    """Stop in the middle, and go on in a run that was built anew."""
    whole = framework.go(*framework.build(said), STEPS)
    optimizer, scheduler = framework.build(said)
    half = ITERATIONS // 2
    framework.go(optimizer, scheduler, half)
    folder = tempfile.mkdtemp()
    framework.save(folder, optimizer, scheduler)
    optimizer, scheduler = framework.build(said)
    framework.load(folder, optimizer, scheduler)
    rest = framework.go(optimizer, scheduler, STEPS - half)
    assert rest == whole[half:], f"resumed, at {_first_difference(rest, whole[half:])}"
    return "resumed"


def _resumed_from_its_own(framework: Framework, folder: str, whole: Numbers) -> str:
    framework.before_its_own()
    optimizer, scheduler = framework.build(framework.stock[0])
    half = ITERATIONS // 2
    framework.load(folder, optimizer, scheduler)
    rest = framework.go(optimizer, scheduler, STEPS - half)
    assert rest == whole[half:], _first_difference(rest, whole[half:])
    return "goes on from a checkpoint of its own class"


class StandIns(MetaPathFinder, Loader):
    """Answers imports of packages that are not installed and that the trial does not reach."""

    def __init__(self, *packages: str) -> None:
        self.packages = [package for package in packages if importlib.util.find_spec(package) is None]
        sys.meta_path.append(self)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if name.partition(".")[0] in self.packages:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _StandIn(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass


class _AnyClass(type):
    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _any_class(name)


def _any_class(name: str) -> _AnyClass:
    """Return a class that can be asked, called and inherited from."""
    return _AnyClass(name, (), {"__init__": lambda self, *given, **options: None})


class _StandIn(types.ModuleType):
    __version__ = "2.0.0"
    __path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _any_class(name)
