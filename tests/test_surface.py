"""What is public, and what an import costs."""

import pkgutil
import subprocess
import sys

import pytest

import schedframe
import schedframe.foresight
import schedframe.megatron
import schedframe.styles
import schedframe.testing

ADAPTERS = {
    "schedframe.adapters.accelerate",
    "schedframe.adapters.axolotl",
    "schedframe.adapters.composer",
    "schedframe.adapters.deepspeed",
    "schedframe.adapters.hf",
    "schedframe.adapters.keras",
    "schedframe.adapters.lightning",
    "schedframe.adapters.olmo_core",
    "schedframe.adapters.optax",
    "schedframe.adapters.torch",
    "schedframe.adapters.torchtitan",
}
"""They can be imported only where their framework is installed."""
PUBLIC_MODULES = {
    "schedframe",
    "schedframe.adapters",
    "schedframe.foresight",
    "schedframe.importers",
    "schedframe.lint",
    "schedframe.megatron",
    "schedframe.testing",
    "schedframe.styles",
    "schedframe.styles.combined",
    "schedframe.styles.couplings",
    "schedframe.styles.each",
    "schedframe.styles.lr",
    "schedframe.styles.phases",
    "schedframe.styles.wd",
}
HEAVY = ("torch", "numpy", "pydantic", "pluggy", "ruamel", "importlib_metadata", "typer", "rich", "plotext")
TRAINERS = (
    "accelerate",
    "axolotl",
    "composer",
    "deepspeed",
    "jax",
    "keras",
    "lightning",
    "megatron",
    "olmo_core",
    "optax",
    "pytorch_lightning",
    "torch",
    "torchtitan",
    "transformers",
)
CONFIG_SYSTEMS = ("hydra", "jsonargparse", "omegaconf")
HEAVY = (*TRAINERS, *CONFIG_SYSTEMS, "pydantic", "pluggy", "ruamel", "importlib_metadata", "typer", "rich", "plotext")


@pytest.mark.parametrize(
    "module",
    [schedframe, schedframe.foresight, schedframe.megatron, schedframe.styles, schedframe.testing],
    ids=lambda m: m.__name__,
)
def test_all_is_sorted_complete_and_there(module) -> None:
    assert module.__all__ == sorted(module.__all__)
    assert len(set(module.__all__)) == len(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is not None


def test_dir_lists_the_public_names() -> None:
    assert dir(schedframe) == schedframe.__all__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'schedframe' has no attribute 'Scheduler'"):
        schedframe.Scheduler  # noqa: B018


def test_every_module_is_private_or_meant_to_be_public() -> None:
    found = {name for _, name, _ in pkgutil.walk_packages(schedframe.__path__, "schedframe.")}
    public = {name for name in found if not any(part.startswith("_") for part in name.split("."))}
    assert public | {"schedframe"} == PUBLIC_MODULES | ADAPTERS


def test_every_public_name_has_a_docstring() -> None:
    for module in (
        schedframe,
        schedframe.foresight,
        schedframe.lint,
        schedframe.megatron,
        schedframe.styles,
        schedframe.testing,
    ):
        for name in module.__all__:
            value = getattr(module, name)
            if callable(value) and name not in ("hookimpl", "Severity"):
                assert value.__doc__, name


def imported_by(program: str) -> set[str]:
    check = f"{program}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}} & set({HEAVY!r}))"
    run = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_importing_schedframe_imports_nothing_heavy() -> None:
    assert imported_by("import schedframe") == set()


def test_the_check_above_can_fail() -> None:
    assert "pydantic" in imported_by("import schedframe; schedframe.Schedule")


def test_styles_and_schedules_need_no_torch() -> None:
    assert "torch" not in imported_by("import schedframe.styles, schedframe.megatron; schedframe.Schedule")


def test_neither_adapters_nor_the_command_line_import_a_framework() -> None:
    pytest.importorskip("typer")
    commands = "[importlib.import_module(f'schedframe._cli.{home_of(command)}') for command in COMMANDS]"
    commands = f"import importlib, schedframe.adapters\nfrom schedframe._cli.app import COMMANDS, home_of\n{commands}"
    assert imported_by(commands).isdisjoint((*TRAINERS, *CONFIG_SYSTEMS))


def test_the_version_is_the_distributions() -> None:
    from importlib_metadata import version

    assert schedframe.__version__ == version("schedframe")


@pytest.mark.parametrize("home", schedframe._HOMES)
def test_the_names_of_any_module_may_be_the_first_to_be_used(home: str) -> None:
    program = f"import schedframe; schedframe.{schedframe._HOMES[home][0]}"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


@pytest.mark.parametrize(
    "module",
    sorted(
        PUBLIC_MODULES | {"schedframe.styles._byname", "schedframe._plugins.imported", "schedframe._plugins.registry"}
    ),
)
def test_any_module_may_be_imported_first(module: str) -> None:
    assert subprocess.run([sys.executable, "-c", f"import {module}"]).returncode == 0
