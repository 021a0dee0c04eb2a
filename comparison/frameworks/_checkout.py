"""Code of frameworks that is read from a checkout in the folder that ``SCHEDFRAME_SOURCES`` names."""

import ast
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any


def checkout(name: str) -> Path:
    """Return the checkout of the repository `name`."""
    folder = Path(os.environ.get("SCHEDFRAME_SOURCES", "sources"), name)
    if not folder.is_dir():
        raise SystemExit(f"{folder} is no folder; set SCHEDFRAME_SOURCES to the folder in which {name} is checked out")
    return folder


def definitions(file: Path, *names: str, **used: Any) -> SimpleNamespace:
    """Return what `names` are in a script, functions within functions too; the rest of the script does not run.

    Args:
        file: the script.
        names: functions, classes and variables, each of which the script defines once.
        used: what they use of the rest of the script.
    """
    tree = ast.parse(file.read_text())
    found = [node for node in ast.walk(tree) if _defined(node) in names]
    if sorted(map(_defined, found)) != sorted(names):
        raise ValueError(f"{file} does not define each of {names} once")
    space = {"__name__": file.stem, **used}
    sys.modules.setdefault(file.stem, ModuleType(file.stem))
    exec(compile(ast.Module(sorted(found, key=lambda node: node.lineno), []), str(file), "exec"), space)
    return SimpleNamespace(**{name: space[name] for name in names})


def _defined(node: ast.AST) -> str:
    """Return the name that `node` defines, if it is a definition."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return ""


def module(name: str, file: Path) -> ModuleType:
    """Return the module in `file`, imported under `name`."""
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    made = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def leave_out(name: str, folder: Path | None = None, **contents: Any) -> None:
    """Put a module without its code in the place of `name`, which schedules import and do not compute with.

    Args:
        name: what is left out; everything in it is a function that does nothing, unless it has a `folder`.
        folder: where its submodules lie, if those are not left out.
        contents: what it has all the same.
    """
    made = ModuleType(name)
    made.__path__ = [] if folder is None else [str(folder)]
    made.__dict__.update(contents)
    if folder is None:
        made.__getattr__ = _nothing_in  # type: ignore[method-assign]
    sys.modules[name] = made


def _nothing_in(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return lambda *values, **options: None
