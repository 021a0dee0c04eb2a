"""The conformance kit: checks that every style must pass, for the tests of a plugin.

::

    from schedframe.testing import parametrize_styles

    @parametrize_styles(["rex", {"style": "rex", "beta": 0.9}])
    def test_conforms(style, check):
        check(style)

Each check takes a style and raises an `AssertionError` with a readable message. The checks evaluate the style on a run
whose warmup ends at step 100 and whose decay ends at step 1100 (`WARMUP_STEPS`, `DECAY_STEPS`); the weight decay goes
from step 0 to 1100. The lengths of a style must fit into these. ``schedframe conform NAME`` runs the checks on an
installed style. Hook plugins are not called, because policy checks apply to schedules, not to styles. The
checks of schemas need jsonschema, and the decorator needs pytest: ``pip install 'schedframe[testing]'``.
"""

import copy
import doctest
import inspect
import json
import logging
import math
import os
import pickle
import random
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from pydantic import ValidationError

from schedframe._errors import SchedframeError
from schedframe._plugins.hooks import muted
from schedframe._schedule.schedule import Schedule
from schedframe.styles._base import LRPoint, LRShape, LRStyle, Style, WDPoint, WDShape, WDStyle
from schedframe.styles._byname import by_lr_style, by_wd_style
from schedframe.styles._installed import lr_styles, wd_styles

WARMUP_STEPS = 100
"""End of the warmup, in steps, of the run on which styles are evaluated."""

DECAY_STEPS = 1100
"""End of the decay, and of the weight-decay schedule, in steps, of that run."""

Bounds = tuple[float, float]
Check = Callable[[Any], None]

_LR_BOUNDS: tuple[Bounds, Bounds] = ((0.8, 0.05), (3.0, 0.25))
_WD_BOUNDS: tuple[Bounds, Bounds] = ((0.02, 0.3), (0.5, 0.1))
_CONSTANT_WD_BOUNDS: tuple[Bounds, Bounds] = ((0.1, 0.1), (0.1, 0.1))
"""The bounds of the run, and those of a param group."""

_INSIDE = [WARMUP_STEPS + (DECAY_STEPS - WARMUP_STEPS) * part / 40 for part in range(41)]
_PAST = [DECAY_STEPS + 1, 2 * DECAY_STEPS, 10 * DECAY_STEPS, 10**9]
_HEAVY = {"torch", "jax", "tensorflow", "cupy", "triton", "megatron", "transformer_engine", "pycuda"}
_SECTIONS = ("Formula:", "At the edges:", "Examples:", "References:")


def check_name(style: Style) -> None:
    """The style's literal name is the name of its entry point, and that gives this class."""
    name, registry = style.style, lr_styles if isinstance(style, LRStyle) else wd_styles
    try:
        named: type[Any] = registry[name]
    except SchedframeError as error:
        raise AssertionError(f"the name {name!r} gives no style: {error}") from error
    places = [f"{cls.__module__}:{cls.__qualname__}" for cls in (named, type(style))]
    assert named is type(style), f"the name {name!r} gives {places[0]}, and the style is {places[1]}"


def check_frozen(style: Style) -> None:
    """No option can be assigned."""
    for option in type(style).model_fields:
        before = getattr(style, option)
        try:
            setattr(style, option, before)
        except ValidationError:
            continue
        raise AssertionError(f"the option {option} can be assigned; a style is frozen, so leave model_config alone")


def check_hashable(style: Style) -> None:
    """Equal styles have equal hashes."""
    try:
        same = hash(style) == hash(copy.deepcopy(style))
    except TypeError as error:
        raise AssertionError(f"it has no hash: {error}; declare tuples instead of lists and dicts") from error
    assert same, "it and its copy have different hashes"


def check_picklable(style: Style) -> None:
    """It can be pickled, and comes back equal."""
    try:
        back = pickle.loads(pickle.dumps(style))  # noqa: S301  what was just dumped
    except Exception as error:
        raise AssertionError(f"it cannot be pickled: {type(error).__name__}: {error}") from error
    assert back == style, f"pickled it comes back as {back!r}"


def check_round_trip(style: Style) -> None:
    """It comes back equal from a dict and from JSON, as a checkpoint holds it."""
    cls = type(style)
    for what, dumped in (("a dict", style.model_dump()), ("JSON", json.loads(style.model_dump_json()))):
        try:
            back = cls.model_validate(dumped)
        except ValidationError as error:
            raise AssertionError(f"it does not come back from {what}: {error}") from error
        assert back == style, f"from {what} it comes back as {back!r}, and was {style!r}"


def check_schema(style: Style) -> None:
    """Its JSON schema is valid (2020-12)."""
    try:
        import jsonschema
    except ImportError:
        raise AssertionError("jsonschema is not installed: pip install 'schedframe[testing]'") from None
    try:
        schema = type(style).model_json_schema()
    except Exception as error:
        raise AssertionError(f"it has no JSON schema: {type(error).__name__}: {error}") from error
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise AssertionError(f"its JSON schema is not valid: {error.message}") from error


def check_options(style: Style) -> None:
    """Every option has a description."""
    missing = [key for key, field in type(style).model_fields.items() if key != "style" and not field.description]
    assert not missing, f"the options {', '.join(missing)} have no description; add Field(description=...)"


def check_docstring(style: Style) -> None:
    """Its docstring has one line, then ``Formula:``, ``At the edges:``, ``Examples:`` and ``References:``."""
    text = inspect.cleandoc(type(style).__doc__ or "")
    first = text.partition("\n")[0]
    assert first.strip().endswith("."), "its docstring does not begin with one line that is a sentence"
    places = [text.find(section) for section in _SECTIONS]
    missing = [section for section, place in zip(_SECTIONS, places, strict=True) if place < 0]
    assert not missing, f"its docstring lacks {', '.join(missing)}"
    assert places == sorted(places), f"its docstring does not have {', '.join(_SECTIONS)} in this order"


def check_example(style: Style) -> None:
    """The examples of its docstring run, and print what they show."""
    cls = type(style)
    namespace = {**vars(sys.modules[cls.__module__]), cls.__name__: cls}
    test = doctest.DocTestParser().get_doctest(cls.__doc__ or "", namespace, cls.__name__, None, 0)
    assert test.examples, "its docstring has no example that runs; begin a line with >>>"
    report: list[str] = []
    with muted():
        failed, _ = doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    assert not failed, f"{failed} of its examples do not print what they show:\n{''.join(report).strip()}"


def check_unknown_keys(style: Style) -> None:
    """An unknown option is rejected."""
    surplus = {**style.model_dump(), "no_such_option": 1}
    try:
        type(style).model_validate(surplus)
    except ValidationError:
        return
    raise AssertionError("it takes an option that it does not have; leave model_config alone")


def check_finite(style: Style) -> None:
    """Every value is a finite float of at least 0."""
    for step in [*_INSIDE, *_PAST]:
        value = _value(style, step)
        assert isinstance(value, float), f"at step {step:g} it gives {value!r}, which is not a float"
        assert 0 <= value < math.inf, f"at step {step:g} it gives {value}, and not a finite number of at least 0"


def check_pure(style: Style) -> None:
    """The same point gives the same float: in any order, in copies, in many threads."""
    first = {step: _value(style, step) for step in [*_INSIDE, *_PAST]}
    shuffled = [*first] * 3
    random.Random(0).shuffle(shuffled)  # noqa: S311  an order, no secret
    with ThreadPoolExecutor(8) as threads:
        again = [
            ("asked again, in another order", [_value(other, step) for step in shuffled])
            for other in (style, copy.deepcopy(style), style.model_copy())
        ]
        again.append(("asked in threads", list(threads.map(lambda step: _value(style, step), shuffled))))
    for how, values in again:
        for step, value in zip(shuffled, values, strict=True):
            assert value == first[step], (
                f"at step {step:g} it gave {first[step]} first, and {value} {how}; a style has no state"
            )
    if isinstance(style, LRShape):
        over = style.over(WARMUP_STEPS, DECAY_STEPS)
        for step in _INSIDE:
            here, there = over(step), style.coefficient_at(step, WARMUP_STEPS, DECAY_STEPS)
            assert here == there, f"at step {step:g} over() gives the coefficient {here}, and coefficient_at {there}"


def check_start(style: Style) -> None:
    """A learning rate starts at max_lr where the warmup ends; a weight decay at start_wd."""
    if isinstance(style, LRStyle | WDShape):
        bound, value = _start(style, _bounds(style)[0])
        what = "max_lr where the warmup ends" if isinstance(style, LRStyle) else "start_wd at step 0"
        assert _is_near(value, bound), f"it starts at {value}, and not at {bound}, {what}"


def check_bounds(style: Style) -> None:
    """Up to its end it lies between its bounds, to within one unit in the last place of the larger one."""
    if isinstance(style, LRStyle | WDShape):
        _assert_within(style, _bounds(style)[0])


def check_past_the_end(style: Style) -> None:
    """Past its end it never rises above where it ended; a weight decay stays where it ended."""
    end = _value(style, DECAY_STEPS)
    for step in _PAST:
        value = _value(style, step)
        if isinstance(style, WDShape):
            bound = _bounds(style)[0][1]
            assert value == bound, f"at step {step:g}, past the end, it gives {value}, and not end_wd, {bound}"
        elif isinstance(style, LRStyle):
            assert value <= end + math.ulp(end), (
                f"at step {step:g}, past the end, it gives {value}, and ended at {end}: it comes back up"
            )


def check_group_bounds(style: Style) -> None:
    """A param group that has its own bounds gets a curve between them."""
    group = _bounds(style)[1]
    if isinstance(style, LRStyle | WDShape):
        bound, value = _start(style, group)
        assert _is_near(value, bound), (
            f"in a group that starts at {bound} it starts at {value}; read the bounds from the point"
        )
        _assert_within(style, group)
    before = [_value(style, step) for step in _INSIDE]
    for step in _INSIDE:
        _value(style, step, group)
    assert before == [_value(style, step) for step in _INSIDE], "one group's curve changes another's"


@muted()
def check_resume(style: Style) -> None:
    """A run that is stopped anywhere and resumed from its checkpoint alone equals the run that was not stopped."""
    keys: dict[str, Any] = {"lr_decay_steps": DECAY_STEPS, "lr_warmup_steps": WARMUP_STEPS}
    keys["max_lr"], keys["min_lr"] = _LR_BOUNDS[0]
    if isinstance(style, LRStyle):
        keys |= {"lr_decay_style": style, "start_wd": 0.0, "end_wd": 0.0}
    else:
        start_wd, end_wd = _bounds(style)[0]
        keys |= {"wd_incr_style": style, "start_wd": start_wd}
        keys["end_wd"] = end_wd if isinstance(style, WDShape) else start_wd
    try:
        schedule = Schedule(**keys)
    except SchedframeError as error:
        raise AssertionError(f"no schedule can be made of it: {error}") from error
    another = Schedule(**{**keys, "lr_decay_style": "constant", "wd_incr_style": "linear", "resume": "checkpoint"})
    for stop in (50, WARMUP_STEPS, 600, DECAY_STEPS, DECAY_STEPS + 77):
        through = schedule.build(SimpleNamespace(param_groups=[{}]))
        through.step(stop)
        again = another.build(SimpleNamespace(param_groups=[{}]))
        state = json.loads(json.dumps(through.state_dict()))
        try:
            with _unlogged():
                again.load_state_dict(state)
        except SchedframeError as error:
            raise AssertionError(f"stopped at step {stop}, it cannot be resumed: {error}") from error
        for _ in range(5):
            here, there = through.optimizer.param_groups[0], again.optimizer.param_groups[0]
            at = again.num_steps
            assert here == there, f"stopped at step {stop}, it goes on with {there} at {at}, and not with {here}"
            through.step(101)
            again.step(101)


def check_import(style: Style) -> None:
    """Importing its module imports neither torch nor anything else that is large or takes a GPU."""
    module = type(style).__module__
    program = f"import sys, {module}; print(*({_HEAVY} & sys.modules.keys()))"
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    assert done.returncode == 0, f"a fresh process cannot import {module}: {done.stderr.strip().splitlines()[-1]}"
    heavy = done.stdout.split()
    assert not heavy, f"importing {module} imports {', '.join(sorted(heavy))}; import it where it is needed"


CHECKS: tuple[Check, ...] = tuple(check for name, check in globals().items() if name.startswith("check_"))
"""Every check, in the order of this file, the plainest first."""

__all__ = sorted(
    ["CHECKS", "DECAY_STEPS", "WARMUP_STEPS", "check_style", "parametrize_styles", *(c.__name__ for c in CHECKS)]
)


def check_style(style: Style) -> None:
    """Run every check.

    Raises:
        AssertionError: naming the first that fails.
    """
    for check in CHECKS:
        try:
            check(style)
        except AssertionError as error:
            raise AssertionError(f"{check.__name__}: {error}") from error


def parametrize_styles(
    styles: Iterable[Any], *, kind: str = "lr", expected_failures: Mapping[str, str] | None = None
) -> Any:
    """Decorate a test that takes ``style`` and ``check``, so that it runs for each of both.

    Args:
        styles: styles, their names, or tables with options.
        kind: ``"lr"`` or ``"wd"``, of the names and tables.
        expected_failures: checks that are known to fail, by name, each with its reason. The test fails if such a
            check passes.

    Raises:
        ValueError: `expected_failures` names a check that does not exist.
    """
    import pytest

    expected = dict(expected_failures or {})
    unknown = sorted(expected.keys() - {check.__name__ for check in CHECKS})
    if unknown:
        raise ValueError(f"there is no check {', '.join(unknown)}; they are {', '.join(c.__name__ for c in CHECKS)}")
    by_name = by_lr_style if kind == "lr" else by_wd_style
    cases = []
    for given in styles:
        style = by_name.resolve(given)
        for check in CHECKS:
            reason = expected.get(check.__name__)
            marks = () if reason is None else (pytest.mark.xfail(reason=reason, raises=AssertionError, strict=True),)
            cases.append(pytest.param(style, check, marks=marks, id=f"{style.style}-{check.__name__}"))
    return pytest.mark.parametrize(("style", "check"), cases)


@contextmanager
def _unlogged() -> Iterator[None]:
    """Keep the report of a load, which is logged, from the terminal."""
    logger = logging.getLogger("schedframe")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _bounds(style: Style) -> tuple[Bounds, Bounds]:
    """Return the bounds of the run, and those of a param group."""
    if isinstance(style, LRStyle):
        return _LR_BOUNDS
    return _CONSTANT_WD_BOUNDS if isinstance(style, WDStyle) and style.is_constant else _WD_BOUNDS


def _value(style: Style, step: float, bounds: Bounds | None = None) -> float:
    """Return the value at `step` between `bounds`, by default those of the run."""
    bounds = bounds or _bounds(style)[0]
    try:
        if isinstance(style, LRStyle):
            return style.lr(LRPoint(step, WARMUP_STEPS, DECAY_STEPS, *bounds))
        assert isinstance(style, WDStyle), f"{style!r} is neither a LRStyle nor a WDStyle"
        peak, progress = _LR_BOUNDS[0][0], min(step / DECAY_STEPS, 1.0)
        return style.wd(WDPoint(step, DECAY_STEPS, *bounds, peak * (1 - progress), peak, WARMUP_STEPS))
    except ValueError as error:
        raise AssertionError(
            f"at step {step:g} it has no value between {bounds[0]} and {bounds[1]}: {error}"
        ) from error


def _start(style: Style, bounds: Bounds) -> tuple[float, float]:
    """Return the first of `bounds`, and the value where the style starts between them."""
    return bounds[0], _value(style, WARMUP_STEPS if isinstance(style, LRStyle) else 0, bounds)


def _is_near(value: float, bound: float) -> bool:
    return abs(value - bound) <= math.ulp(bound)


def _assert_within(style: Style, bounds: Bounds) -> None:
    low, high = sorted(bounds)
    for step in _INSIDE:
        value = _value(style, step, bounds)
        assert low - math.ulp(high) <= value <= high + math.ulp(high), (
            f"at step {step:g} it gives {value}, which is not between {low} and {high}"
        )
