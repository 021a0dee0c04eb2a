"""One-off styles: modules and files that are imported because ``--import`` or ``SCHEDFRAME_IMPORT`` names them.

Never because a config or a checkpoint does. What is imported registers its styles with ``lr_styles.register`` and
``wd_styles.register``; hooks come from installed distributions alone.
"""

import importlib
import os
import pkgutil
import sys
import traceback
from contextlib import redirect_stdout, suppress

from schedframe._errors import FAILURES, PluginError, SchedframeError, did_you_mean
from schedframe._plugins.hooks import hooks_of
from schedframe._plugins.python_file import PythonFile
from schedframe._plugins.registered import registering

VARIABLE = "SCHEDFRAME_IMPORT"


def listed() -> list[str]:
    """Return the names in ``SCHEDFRAME_IMPORT``."""
    return [name.strip() for name in os.environ.get(VARIABLE, "").split(",") if name.strip()]


def is_file(name: str) -> bool:
    """Return whether `name` names a file, not a module."""
    return name.endswith(".py") or any(separator in name for separator in (os.sep, os.altsep) if separator)


def import_named(name: str, by: str) -> None:
    """Import the file or module that the user named with `by`; `import_styles` has the errors."""
    subject = f"{by} names {name!r}"
    file = _read(name, subject) if is_file(name) else None
    module = file.name if file else _dotted(name, subject)
    if module in sys.modules:
        return
    with registering() as anything:
        try:
            with redirect_stdout(sys.stderr):
                if file:
                    file.run()
                else:
                    importlib.import_module(module)
        except FAILURES as error:
            fault = _not_found(module, error) or f"which fails{_line(error, name)}: {_text(error)}"
            raise PluginError(f"{subject}, {fault}") from error
        hooks = ", ".join(hooks_of(sys.modules[module])) if file else ""
        fault = hooks and f"which has the hook {hooks}; hooks are taken from installed distributions alone"
        if not fault and not anything():
            fault = "which registers no style; it must call schedframe.lr_styles.register or wd_styles.register"
        if fault:
            del sys.modules[module]
            raise PluginError(f"{subject}, {fault}")


def _read(name: str, subject: str) -> PythonFile:
    path = os.path.abspath(name)
    if os.path.isdir(path):
        raise PluginError(f"{subject}, which is a folder; name a file, or a module with dots")
    try:
        file = PythonFile(path)
    except FileNotFoundError:
        folder, missing = os.path.split(path)
        raise PluginError(f"{subject}, and there is no such file{did_you_mean(missing, _files_in(folder))}") from None
    except OSError as error:
        raise PluginError(f"{subject}, which cannot be read: {error.strerror}") from None
    try:
        file.code  # noqa: B018
    except UnicodeDecodeError as error:
        line = file.content.count(b"\n", 0, error.start) + 1
        raise PluginError(f"{subject}, which is not text in {error.encoding}: see line {line}") from error
    except SyntaxError as error:
        where = f"line {error.lineno}: " if error.lineno else ""
        raise PluginError(f"{subject}, which is not Python: {where}{error.msg}") from error
    except ValueError as error:
        raise PluginError(f"{subject}, which is not Python: {error}") from error
    except (RecursionError, MemoryError) as error:
        raise PluginError(f"{subject}, which is nested too deeply for Python") from error
    return file


def _files_in(folder: str) -> list[str]:
    with suppress(OSError):
        return [file for file in os.listdir(folder) if file.endswith(".py")]
    return []


def _dotted(name: str, subject: str) -> str:
    if all(part.isidentifier() for part in name.split(".")):
        return name
    near = did_you_mean(f"{name}.py", _files_in("."))
    raise PluginError(f"{subject}, which is neither a file that ends in .py nor the name of a module{near}")


def _not_found(module: str, error: BaseException) -> str:
    """Return that there is no such module; empty where it is there and `error` is another."""
    missing = (isinstance(error, ModuleNotFoundError) and error.name) or ""
    if not missing or not f"{module}.".startswith(f"{missing}."):
        return ""
    text = f"and there is no module {missing!r} on Python's path"
    file = f"{module.replace('.', os.sep)}.py"
    if os.path.isfile(file):
        return f"{text}; did you mean the file {file!r}?"
    parent = missing.rpartition(".")[0]
    path = getattr(sys.modules.get(parent), "__path__", ()) if parent else None
    known = [f"{parent}.{found.name}".lstrip(".") for found in pkgutil.iter_modules(path)]
    return text + did_you_mean(missing, known)


def _line(error: BaseException, name: str) -> str:
    """Return the line that fails in what is imported, or calls what fails: the last one of the first file that ran."""
    ran = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    importers = (__file__, PythonFile.run.__code__.co_filename, importlib.__file__)
    ran = [(file, line) for file, line in ran if file not in importers and not file.startswith("<frozen importlib")]
    if not ran:
        return ""
    first = ran[0][0]
    line = [line for file, line in ran if file == first][-1]
    return f" in line {line}" + ("" if is_file(name) else f" of {first}")


def _text(error: BaseException) -> str:
    text = str(error)
    return text if isinstance(error, SchedframeError) else ": ".join(filter(None, (type(error).__name__, text)))
