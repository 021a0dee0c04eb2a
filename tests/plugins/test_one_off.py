"""One-off styles: files and modules that are imported first because the person at the keyboard named them."""

import hashlib
import inspect
import json
import logging
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import schedframe
from schedframe import (
    ConfigError,
    PluginError,
    SchedframeWarning,
    Schedule,
    StateError,
    lr_styles,
    source_of,
)
from schedframe._plugins.imports import import_styles
from schedframe._plugins.registered import registered

REPO = Path(__file__).resolve().parents[2]
STYLE = '''\
from typing import Literal

import schedframe
from schedframe.styles import LRCurve


@schedframe.lr_styles.register
class Square(LRCurve):
    """Falls with the square of progress."""

    style: Literal["square"] = "square"

    def coefficient(self, progress: float) -> float:
        return 1.0 - progress**2
'''
DECORATED = 7 if sys.version_info >= (3, 11) else 8
"""Where Python says that the class `STYLE` is registered: at the decorator, or at the class."""

SHORT = {"max_lr": 1.0, "lr_decay_steps": 100}


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unregister: None) -> Iterator[None]:
    """Each test in a folder of its own; what it imports is gone after it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCHEDFRAME_IMPORT", "")
    modules = set(sys.modules)
    yield
    for name in set(sys.modules) - modules:
        if name.startswith(("schedframe._plugins.imported.", "my_")):
            del sys.modules[name]


def write(name: str, content: str | bytes = STYLE) -> Path:
    file = Path(name).absolute()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def digest(content: str = STYLE) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def python(program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    write("program.py", program)
    env = {**os.environ, "PYTHONPATH": str(REPO), **environment}
    return subprocess.run(
        [sys.executable, "program.py", *arguments], env=env, capture_output=True, text=True, timeout=120
    )


def printed(program: str, **environment: str) -> list[str]:
    """What the program prints, in its order; what is printed by an import goes to standard error."""
    write("program.py", program)
    env = {**os.environ, "PYTHONPATH": str(REPO), "PYTHONUNBUFFERED": "1", **environment}
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run([sys.executable, "program.py"], env=env, text=True, timeout=120, **both)
    assert done.returncode == 0, done.stdout
    return done.stdout.splitlines()


# What is imported


@pytest.mark.parametrize(
    "name", ["my_styles.py", "./my_styles.py", "deep/er/my-styles.2.py", "no/suffix", "deep/42.py"]
)
def test_a_file_brings_its_styles(name: str) -> None:
    file = write(name)
    import_styles([name])
    assert Schedule(**SHORT, lr_decay_style="square").lr_at(50) == 0.75
    assert Path(source_of(lr_styles["square"]).path) == file


def test_a_module_brings_its_styles(monkeypatch: pytest.MonkeyPatch) -> None:
    file = write("src/my_package/styles.py")
    write("src/my_package/__init__.py", "")
    monkeypatch.syspath_prepend(Path("src").absolute())
    import_styles(["my_package.styles"])
    style = lr_styles["square"]
    assert style is sys.modules["my_package.styles"].Square
    assert str(source_of(style)) == f"{file} (sha256 {digest()[:12]}…)"
    assert source_of(style).target == "my_package.styles:Square"


def test_many_are_imported_in_their_order() -> None:
    write("first.py")
    write("second.py", STYLE.replace("square", "cube") + "assert 'square' in schedframe.lr_styles\n")
    import_styles(["first.py", "second.py"])
    assert {"square", "cube"} < set(lr_styles)


def test_weight_decay_styles_come_too() -> None:
    write("my_styles.py", STYLE.replace("LRCurve", "WDCurve").replace("lr_styles", "wd_styles"))
    import_styles(["my_styles.py"])
    assert Schedule(**SHORT, start_wd=0, end_wd=1, wd_incr_style="square").wd_at(50) == 0.75


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf" + STYLE.encode(), b"# coding: latin-1\n# \xe9\n" + STYLE.encode()])
def test_a_file_is_text_as_python_reads_it(content: bytes) -> None:
    write("my_styles.py", content)
    import_styles(["my_styles.py"])
    assert source_of(lr_styles["square"]).sha256 == hashlib.sha256(content).hexdigest()
    assert inspect.getsource(lr_styles["square"]).startswith("@schedframe.lr_styles.register\nclass Square")


def test_a_file_reads_what_lies_beside_it() -> None:
    write("styles/power.txt", "2")
    power = "import pkgutil\nassert pkgutil.get_data(__name__, 'power.txt') == b'2'\n"
    write("styles/my_styles.py", power + STYLE)
    import_styles(["styles/my_styles.py"])
    assert sorted(path.name for path in Path("styles").iterdir()) == ["my_styles.py", "power.txt"]


def test_a_style_of_a_file_is_pickled_in_its_process() -> None:
    write("my_styles.py")
    import_styles(["my_styles.py"])
    style = lr_styles["square"]()
    assert pickle.loads(pickle.dumps(style)) == style


def test_the_same_content_again_is_imported_once() -> None:
    content = STYLE + "import pathlib\nruns = pathlib.Path('runs')\nruns.write_text(runs.read_text() + '.')\n"
    write("runs", "")
    for name in ("my_styles.py", "elsewhere/my_styles.py"):
        write(name, content)
    import_styles(["my_styles.py", "./my_styles.py"])
    import_styles(["my_styles.py"])
    import_styles(["elsewhere/my_styles.py"])
    assert Path("runs").read_text() == "."


def test_a_module_that_is_imported_as_a_file_too_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    file = write("src/my_styles.py")
    monkeypatch.syspath_prepend(Path("src").absolute())
    import_styles(["my_styles"])
    module = source_of(lr_styles["square"])
    import_styles([str(file)])
    assert source_of(lr_styles["square"]).identity == module.identity


def test_what_a_failing_file_imports_keeps_what_it_registers(monkeypatch: pytest.MonkeyPatch) -> None:
    write("src/my_cubes.py", STYLE.replace("square", "cube"))
    monkeypatch.syspath_prepend(Path("src").absolute())
    write("my_styles.py", f"import my_cubes\n{STYLE}1 / 0\n")
    with pytest.raises(PluginError, match="ZeroDivisionError"):
        import_styles(["my_styles.py"])
    assert "cube" in lr_styles
    assert "square" not in lr_styles


def test_other_content_under_one_path_is_refused() -> None:
    write("my_styles.py")
    import_styles(["my_styles.py"])
    file = write("my_styles.py", STYLE + "# edited\n")
    with pytest.raises(PluginError) as caught:
        import_styles(["my_styles.py"])
    now, then = digest(STYLE + "# edited\n")[:12], digest()[:12]
    assert str(caught.value) == (
        f"--import names 'my_styles.py', which fails in line {DECORATED}: LR style 'square' is already registered for "
        f"{file} (sha256 {then}…); give {file} (sha256 {now}…) another name"
    )


# Where a style is said to come from


def test_the_source_is_the_path_and_the_digest_of_what_was_run() -> None:
    file = write(
        "my_styles.py", STYLE + "from pathlib import Path\nPath(__file__).write_text('# edited while it runs')\n"
    )
    ran = digest(file.read_text())
    import_styles(["my_styles.py"])
    source = source_of(lr_styles["square"]())
    assert file.read_text() == "# edited while it runs"
    assert (source.name, source.target, source.distribution, source.version) == (
        "square",
        "my_styles.py:Square",
        None,
        None,
    )
    assert (source.path, source.sha256, str(source)) == (str(file), ran, f"{file} (sha256 {ran[:12]}…)")
    assert lr_styles.source("square") == source


def test_a_class_that_a_file_takes_from_a_module_is_known_by_that_modules_file(monkeypatch: pytest.MonkeyPatch) -> None:
    curves = write("src/my_curves.py", STYLE.replace("@schedframe.lr_styles.register\n", ""))
    monkeypatch.syspath_prepend(Path("src").absolute())
    write("my_styles.py", "import my_curves, schedframe\nschedframe.lr_styles.register(my_curves.Square)\n")
    import_styles(["my_styles.py"])
    assert str(source_of(lr_styles["square"])) == f"{curves} (sha256 {digest(curves.read_text())[:12]}…)"


def test_a_module_whose_file_is_gone_is_known_by_its_class(monkeypatch: pytest.MonkeyPatch) -> None:
    write("src/my_styles.py", f"import os\nos.remove(__file__)\n{STYLE}")
    monkeypatch.syspath_prepend(Path("src").absolute())
    import_styles(["my_styles"])
    assert str(source_of(lr_styles["square"])) == "my_styles:Square"


def test_the_log_says_the_source(optimizer: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    file = write("my_styles.py")
    import_styles(["my_styles.py"])
    with caplog.at_level(logging.INFO, logger="schedframe"):
        Schedule(**SHORT, lr_decay_style="square").build(optimizer())
    assert f"lr style square from {file} (sha256 {digest()[:12]}…); wd style" in caplog.text


def state(optimizer: Callable[..., Any], **changes: Any) -> dict[str, Any]:
    return Schedule(**SHORT, lr_decay_style="square").build(optimizer()).state_dict()


def forget() -> None:
    registered["LR"].clear()


def test_a_checkpoint_says_the_digest_and_not_where_the_file_lay(optimizer: Callable[..., Any]) -> None:
    write("my_styles.py")
    import_styles(["my_styles.py"])
    assert json.loads(state(optimizer)["schedframe"])["sources"]["lr_style"] == {
        "name": "square",
        "target": "my_styles.py:Square",
        "distribution": None,
        "version": None,
        "sha256": digest(),
    }


def test_a_run_goes_on_with_the_same_file_elsewhere_and_warns_of_another(optimizer: Callable[..., Any]) -> None:
    write("my_styles.py")
    import_styles(["my_styles.py"])
    saved = state(optimizer)
    forget()
    moved = write("elsewhere/moved.py")
    import_styles([str(moved)])
    Schedule(**SHORT, lr_decay_style="square").build(optimizer()).load_state_dict(saved)
    forget()
    edited = write("my_styles.py", STYLE + "# edited\n")
    import_styles(["my_styles.py"])
    scheduler = Schedule(**SHORT, lr_decay_style="square").build(optimizer())
    with pytest.warns(SchedframeWarning) as caught:
        scheduler.load_state_dict(saved)
    assert [str(warning.message) for warning in caught] == [
        f"the checkpoint's style 'square' is from my_styles.py (sha256 {digest()[:12]}…), and here it is from "
        f"{edited} (sha256 {digest(edited.read_text())[:12]}…): it may differ"
    ]


def test_a_checkpoint_whose_file_is_not_imported_is_refused_with_its_name(optimizer: Callable[..., Any]) -> None:
    write("my_styles.py")
    import_styles(["my_styles.py"])
    saved = state(optimizer)
    forget()
    with pytest.raises(StateError) as caught:
        Schedule(**SHORT, resume="checkpoint").build(optimizer()).load_state_dict(saved)
    assert str(caught.value).startswith("the checkpoint's style 'square' cannot be used: there is no LR style 'square'")
    assert str(caught.value).endswith(
        f"; it was written with my_styles.py (sha256 {digest()[:12]}…): name my_styles.py in SCHEDFRAME_IMPORT"
    )


# Errors

CANNOT: dict[str, tuple[dict[str, str | bytes], str, str]] = {
    "is missing": (
        {"my_styles.py": STYLE},
        "./my_stlyes.py",
        "'./my_stlyes.py', and there is no such file; did you mean 'my_styles.py'?",
    ),
    "is in no folder": ({}, "nowhere/my_styles.py", "'nowhere/my_styles.py', and there is no such file"),
    "is a folder": (
        {"styles/x.py": STYLE},
        "./styles",
        "'./styles', which is a folder; name a file, or a module with dots",
    ),
    "has too long a name": ({}, f"{'x' * 300}.py", f"'{'x' * 300}.py', which cannot be read: File name too long"),
    "is no text": (
        {"my_styles.py": b"# fine\n\n# caf\xe9\n"},
        "my_styles.py",
        "'my_styles.py', which is not text in utf-8: see line 3",
    ),
    "is no text at all": (
        {"my_styles.py": b"\x80\x02}q\x00"},
        "my_styles.py",
        "'my_styles.py', which is not Python: invalid or missing encoding declaration",
    ),
    "is in no encoding": (
        {"my_styles.py": "# coding: klingon\n"},
        "my_styles.py",
        "'my_styles.py', which is not Python: unknown encoding: klingon",
    ),
    "is no Python": (
        {"my_styles.py": "import schedframe\nclass Square(:\n"},
        "my_styles.py",
        "'my_styles.py', which is not Python: line 2: invalid syntax",
    ),
    "has a null byte": (
        {"my_styles.py": "x = '\0'\n"},
        "my_styles.py",
        "'my_styles.py', which is not Python: source code string cannot contain null bytes",
    ),
    "is nested too deeply": (
        {"my_styles.py": f"x = {'-' * 100_000}1\n"},
        "my_styles.py",
        "'my_styles.py', which is nested too deeply for Python",
    ),
    "raises": (
        {"my_styles.py": "import schedframe\n\n1 / 0\n"},
        "my_styles.py",
        "'my_styles.py', which fails in line 3: ZeroDivisionError: division by zero",
    ),
    "raises in a function": (
        {"my_styles.py": "def f():\n    raise KeyError\n\nf()\n"},
        "my_styles.py",
        "'my_styles.py', which fails in line 2: KeyError",
    ),
    "calls what raises": (
        {"my_styles.py": "import textwrap\n\ntextwrap.wrap('x y', width=0)\n"},
        "my_styles.py",
        "'my_styles.py', which fails in line 3: ValueError: invalid width 0 (must be > 0)",
    ),
    "exits": (
        {"my_styles.py": "import sys\nsys.exit(3)\n"},
        "my_styles.py",
        "'my_styles.py', which fails in line 2: SystemExit: 3",
    ),
    "imports what is not there": (
        {"my_styles.py": "import my_helpers\n"},
        "my_styles.py",
        "'my_styles.py', which fails in line 1: ModuleNotFoundError: No module named 'my_helpers'",
    ),
    "registers nothing": (
        {"my_styles.py": "import schedframe\n"},
        "my_styles.py",
        "'my_styles.py', which registers no style; it must call schedframe.lr_styles.register or wd_styles.register",
    ),
    "has a hook": (
        {"my_styles.py": f"{STYLE}\n@schedframe.hookimpl\ndef schedframe_check(schedule): ...\n"},
        "my_styles.py",
        "'my_styles.py', which has the hook schedframe_check; hooks are taken from installed distributions alone",
    ),
    "takes a built-in name": (
        {"my_styles.py": STYLE.replace("square", "cosine")},
        "my_styles.py",
        f"'my_styles.py', which fails in line {DECORATED}: LR style 'cosine' is built in; "
        "give my_styles.py:Square a name of its own",
    ),
    "registers one name twice": (
        {"my_styles.py": f"{STYLE}\n@schedframe.lr_styles.register\nclass Other(Square): ...\n"},
        "my_styles.py",
        f"'my_styles.py', which fails in line {DECORATED + 9}: LR style 'square' is already registered for "
        "my_styles.py:Square; give my_styles.py:Other another name",
    ),
    "has a comma": (
        {"a.py": STYLE, "b.py": STYLE},
        "a.py,b.py",
        "'a.py,b.py', which has a comma in its path, and commas separate the names in SCHEDFRAME_IMPORT; "
        "give one name at a time, or rename the file",
    ),
    "is no name": (
        {"my-styles.py": STYLE},
        "my-styles",
        "'my-styles', which is neither a file that ends in .py nor the name of a module; did you mean 'my-styles.py'?",
    ),
    "is a module that is not there": (
        {"src/my_package/__init__.py": "", "src/my_package/styles.py": STYLE},
        "my_package.stiles",
        "'my_package.stiles', and there is no module 'my_package.stiles' on Python's path; "
        "did you mean 'my_package.styles'?",
    ),
    "is a package that is not there": (
        {"src/my_package/__init__.py": ""},
        "my_pakcage.styles",
        "'my_pakcage.styles', and there is no module 'my_pakcage' on Python's path; did you mean 'my_package'?",
    ),
    "is a file in this folder": (
        {"my_package/styles.py": STYLE},
        "my_package.styles",
        "'my_package.styles', and there is no module 'my_package' on Python's path; "
        f"did you mean the file '{Path('my_package/styles.py')}'?",
    ),
    "is a module without styles": (
        {"src/my_styles.py": "import schedframe\n"},
        "my_styles",
        "'my_styles', which registers no style; it must call schedframe.lr_styles.register or wd_styles.register",
    ),
    "is a module that raises": (
        {"src/my_styles.py": "import schedframe\n\n1 / 0\n"},
        "my_styles",
        "'my_styles', which fails in line 3 of {folder}/src/my_styles.py: ZeroDivisionError: division by zero",
    ),
    "is a module that is no Python": (
        {"src/my_styles.py": "import schedframe\nclass Square(:\n"},
        "my_styles",
        "'my_styles', which fails: SyntaxError: invalid syntax (my_styles.py, line 2)",
    ),
}


@pytest.mark.parametrize("case", CANNOT)
def test_what_cannot_be_imported_is_reported_and_leaves_nothing(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, name, text = CANNOT[case]
    for file, content in files.items():
        write(file, content)
    monkeypatch.syspath_prepend(Path("src").absolute())
    known = set(lr_styles)
    for _ in range(2):
        with pytest.raises(PluginError) as caught:
            import_styles([name])
        assert str(caught.value) == f"--import names {text.replace('{folder}', str(tmp_path))}"
    assert set(lr_styles) == known
    assert os.environ["SCHEDFRAME_IMPORT"] == ""
    assert not [module for module in sys.modules if module.startswith("schedframe._plugins.imported.")]


def test_the_cause_is_chained() -> None:
    write("my_styles.py", "1 / 0\n")
    with pytest.raises(PluginError) as caught:
        import_styles(["my_styles.py"])
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_file_that_is_repaired_is_imported_then() -> None:
    write("my_styles.py", STYLE + "1 / 0\n")
    with pytest.raises(PluginError, match="which fails in line 15"):
        import_styles(["my_styles.py"])
    write("my_styles.py")
    import_styles(["my_styles.py"])
    assert "square" in lr_styles


def test_a_name_that_a_distribution_has_too_is_refused_when_asked_for(install: Callable[..., Path]) -> None:
    install("acme-square", STYLE, lr_styles={"square": "acme_square_mod:Square"})
    file = write("my_styles.py")
    import_styles(["my_styles.py"])
    with pytest.raises(schedframe.StyleConflictError) as caught:
        lr_styles["square"]
    assert str(caught.value) == (
        f"LR style 'square' is provided more than once: acme-square 1.0 (acme_square_mod:Square); "
        f"{file} (sha256 {digest()[:12]}…), registered in this process; uninstall all but one, "
        f"or set SCHEDFRAME_BLOCK to those that you do not want (acme-square)"
    )
    assert lr_styles["cosine"]


# SCHEDFRAME_IMPORT

ASKS = "import schedframe\nprint(schedframe.lr_styles['square'].__name__, schedframe.wd_styles.source('cosine').name)\n"


def test_the_variable_acts_at_the_first_look_up_and_once() -> None:
    write("my_styles.py", STYLE + "print('imported')\n")
    program = f"import schedframe\nimport schedframe.styles\nschedframe.Schedule\nprint('not yet')\n{ASKS}"
    assert printed(program, SCHEDFRAME_IMPORT="my_styles.py") == ["not yet", "imported", "Square cosine"]


def test_the_variable_lists_files_and_modules() -> None:
    write("src/my_cubes.py", STYLE.replace("square", "cube"))
    write("my_styles.py")
    path = os.pathsep.join(["src", str(REPO)])
    program = "import schedframe\nprint(*sorted({'cube', 'square'} & set(schedframe.lr_styles)))\n"
    assert printed(program, SCHEDFRAME_IMPORT=" my_cubes, ./my_styles.py ,", PYTHONPATH=path) == ["cube square"]


def test_a_file_may_look_names_up_while_the_variable_imports_it() -> None:
    asks = "print(schedframe.lr_styles['cosine'].__name__, 'square' in schedframe.lr_styles)\n"
    write("my_styles.py", STYLE.replace("@", f"{asks}@") + asks)
    assert printed(ASKS, SCHEDFRAME_IMPORT="my_styles.py") == ["Cosine False", "Cosine True", "Square cosine"]


def test_threads_that_ask_first_wait_for_the_one_import() -> None:
    write("my_styles.py", "import time\ntime.sleep(0.3)\n" + STYLE + "print('imported')\n")
    program = """
import threading, schedframe
schedframe.lr_styles, schedframe.Schedule
start, found = threading.Barrier(8), []
def ask():
    start.wait()
    found.append(schedframe.lr_styles["square"])
threads = [threading.Thread(target=ask) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(len(found), len(set(found)))
"""
    assert printed(program, SCHEDFRAME_IMPORT="my_styles.py") == ["imported", "8 1"]


def test_an_error_of_the_variable_names_it_at_every_look_up_and_never_at_the_import() -> None:
    program = """
import schedframe
known = schedframe.lr_styles
for asks in (lambda: known["cosine"], lambda: "cosine" in schedframe.wd_styles, known.listing):
    try:
        asks()
    except schedframe.PluginError as error:
        print(error)
try:
    schedframe.Schedule(max_lr=1, lr_decay_steps=10, lr_decay_style="cosine")
except schedframe.ConfigError as error:
    print(error)
"""
    told = "SCHEDFRAME_IMPORT names 'my_styles.py', and there is no such file"
    assert printed(program, SCHEDFRAME_IMPORT="my_styles.py") == [
        *[told] * 3,
        f"the schedule: lr_decay_style = 'cosine': {told}",
    ]


SPAWNS = """
import multiprocessing, sys
import schedframe

def told(style):
    return repr(style), str(schedframe.source_of(style)), schedframe.lr_styles["square"] is type(style)

if __name__ == "__main__":
    if sys.argv[1:]:
        from schedframe._plugins.imports import import_styles
        import_styles(sys.argv[1:])
    style = schedframe.Schedule(max_lr=1, lr_decay_steps=10, lr_decay_style="square").lr_style
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(*pool.apply(told, (style,)), sep="\\n")
"""


@pytest.mark.parametrize("by", ["the variable", "import_styles"])
def test_a_style_goes_to_a_spawned_process(by: str) -> None:
    file = write("my_styles.py")
    arguments, variable = (["./my_styles.py"], "") if by == "import_styles" else ([], "./my_styles.py")
    done = python(SPAWNS, *arguments, SCHEDFRAME_IMPORT=variable)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["Square(style='square')", f"{file} (sha256 {digest()[:12]}…)", "True"]


def test_what_is_imported_reaches_processes_that_are_started(monkeypatch: pytest.MonkeyPatch) -> None:
    write("src/my_cubes.py", STYLE.replace("square", "cube"))
    monkeypatch.syspath_prepend(Path("src").absolute())
    file = write("my_styles.py")
    import_styles(["my_cubes", "./my_styles.py"])
    import_styles([str(file)])
    assert os.environ["SCHEDFRAME_IMPORT"] == f"my_cubes,{file}"


# Data names nothing that is imported


@pytest.mark.parametrize("key", ["import", "imports", "SCHEDFRAME_IMPORT"])
@pytest.mark.parametrize("value", ["./my_styles.py", ["./my_styles.py"]])
def test_a_config_imports_nothing(key: str, value: Any) -> None:
    write("my_styles.py", STYLE + "open('was run', 'x').close()\n")
    write("run.json", json.dumps({**SHORT, "lr_decay_style": "square", key: value}, indent=1))
    with pytest.raises(ConfigError) as caught:
        schedframe.load("run.json")
    assert [(problem.path, problem.line) for problem in caught.value.problems] == [("lr_decay_style", 4), (key, 5)]
    assert not Path("was run").exists()


@pytest.mark.parametrize(
    "name", ["./my_styles.py", "my_styles.py:Square", "my_styles:Square", "schedframe._plugins.imported.my"]
)
def test_a_name_in_a_config_is_never_imported(name: str) -> None:
    write("my_styles.py", STYLE + "open('was run', 'x').close()\n")
    with pytest.raises(ConfigError, match="there is no LR style"):
        Schedule(**SHORT, lr_decay_style=name)
    assert not Path("was run").exists()


def test_a_checkpoint_imports_nothing(optimizer: Callable[..., Any]) -> None:
    write("my_styles.py")
    import_styles(["my_styles.py"])
    saved = state(optimizer)
    forget()
    file = write("my_styles.py", STYLE + "open('was run', 'x').close()\n")
    details = json.loads(saved["schedframe"])
    details["sources"]["lr_style"]["sha256"] = digest(file.read_text())
    hostile = {**saved, "import": [str(file)], "schedframe": json.dumps({**details, "import": [str(file)]})}
    with pytest.raises(StateError, match="there is no LR style 'square'"):
        Schedule(**SHORT, resume="checkpoint").build(optimizer()).load_state_dict(hostile)
    assert not Path("was run").exists()
