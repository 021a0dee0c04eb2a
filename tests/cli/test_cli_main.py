"""The process as a whole: help, version, exit codes, closed pipes, colours, what is imported."""

import inspect
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pydantic
import pytest

import schedframe
from schedframe._cli.app import COMMANDS, OTHER_NAMES, home_of

from ..runs import Optimizer

RUN = """\
lr_decay_steps: 100M
max_lr: 3e-4
lr_warmup_steps: 1%
lr_decay_style: cosine
start_wd: 0.0
end_wd: 0.1
wd_incr_style: linear
groups:
- role: router
  match: {index: 0}
  lr_mult: 0.1
"""
MY_STYLES = '''\
from typing import Literal

import schedframe
from schedframe.styles import LRCurve


@schedframe.lr_styles.register
class Square(LRCurve):
    """Falls with the square of progress.

    Formula:
        c = 1 - p**2

    At the edges:
        max_lr where the warmup ends, min_lr at the end and after.

    Examples:
        >>> Square().coefficient(0.5)
        0.75

    References:
        None.
    """

    style: Literal["square"] = "square"

    def coefficient(self, progress: float) -> float:
        return 1.0 - progress**2
'''
RUN_AS_THEY_STAND = ["init", "styles", "check", "rule", "preview", "resolve", "conform", "new"]
SCHEDFRAME = [sys.executable, "-m", "schedframe"]

pytestmark = pytest.mark.usefixtures("_in_a_folder_with_run_yaml")


@pytest.fixture
def _in_a_folder_with_run_yaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run.yaml").write_text(RUN)
    (tmp_path / "my_styles.py").write_text(MY_STYLES)
    state = schedframe.load(tmp_path / "run.yaml").build(Optimizer()).state_dict()
    (tmp_path / "checkpoints").write_text(json.dumps(state))
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "run.yaml").write_text(RUN)
    monkeypatch.chdir(tmp_path)
    for variable in ("COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(variable, raising=False)


def run(*arguments: str, command: list[str] = SCHEDFRAME, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*command, *arguments], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


def examples(help_text: str) -> list[str]:
    return [line.strip() for line in help_text.split("Examples:")[1].splitlines() if line.strip()]


def test_version() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"schedframe {schedframe.__version__}\n", "")


def test_the_report_of_versions_has_what_a_fault_may_come_from() -> None:
    lines = run("--version", "--verbose", SCHEDFRAME_BLOCK="secret").stdout.splitlines()
    assert lines[0] == f"schedframe {schedframe.__version__}"
    assert lines[1].startswith(f"Python {platform.python_version()} ")
    assert f"  pydantic {pydantic.VERSION}" in lines
    assert "  deepspeed is not installed" in lines
    assert lines[lines.index("variables:") + 1 :] == ["  SCHEDFRAME_BLOCK"]


def test_the_report_of_versions_has_plugins_and_imports_none(install: Callable[..., Path]) -> None:
    styles = {"lr_styles": {"one": "broken_mod:One"}, "wd_styles": {"two": "broken_mod:Two"}}
    path = install("broken", "raise RuntimeError", **styles, version="2.0", requires="schedframe>=99")
    done = run("--version", "--verbose", PYTHONPATH=str(path))
    fault = f"it requires schedframe>=99, and this is schedframe {schedframe.__version__}"
    assert f"  broken 2.0: LR one, WD two (incompatible: {fault})" in done.stdout.splitlines()


def test_verbose_goes_with_version() -> None:
    done = run("--verbose", "check", "run.yaml")
    assert done.returncode == 2
    assert "requires --version" in done.stderr


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        (["lint", "a b.yaml", "--strict"], "schedframe check 'a b.yaml' --strict"),
        (["validate", "run.yaml"], "schedframe check run.yaml"),
        (["show", "run.yaml", "--at", "5"], "schedframe preview run.yaml --at 5"),
        (["compare", "a.yaml", "b.yaml"], "schedframe diff a.yaml b.yaml"),
        (["convert", "a.yaml"], "schedframe resolve a.yaml"),
        (["version"], "schedframe --version"),
    ],
)
def test_a_name_from_elsewhere_is_answered_with_the_command(typed: list[str], right: str) -> None:
    done = run(*typed)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"there is no command {typed[0]}; run `{right}`\n"


def test_what_a_name_from_elsewhere_leads_to_is_there() -> None:
    assert {name for name in OTHER_NAMES.values() if not name.startswith("-")} <= COMMANDS.keys()
    assert not OTHER_NAMES.keys() & COMMANDS.keys()


def test_without_a_command_help_is_shown() -> None:
    done = run()
    assert done.returncode == 2
    assert "Commands:" in done.stderr


def test_the_installed_command_is_the_same() -> None:
    installed = shutil.which("schedframe", path=str(Path(sys.executable).parent))
    if installed is None:
        pytest.skip("schedframe is not installed here, only on the path")
    assert run("check", "run.yaml", command=[installed]).stdout == run("check", "run.yaml").stdout


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_names_every_command(option: str) -> None:
    done = run(option)
    assert (done.returncode, done.stderr) == (0, "")
    listed = done.stdout.split("Commands:\n")[1].split("\n\n")[0].splitlines()
    assert [line.split(maxsplit=1) for line in listed] == [[name, line] for name, line in COMMANDS.items()]
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "..." not in done.stdout.split("Commands:")[1]


@pytest.mark.parametrize(("name", "line"), COMMANDS.items())
def test_the_help_of_a_command_begins_with_its_line_of_the_table(name: str, line: str) -> None:
    command = getattr(import_module(f"schedframe._cli.{home_of(name)}"), home_of(name))
    assert inspect.getdoc(command).splitlines()[0] == line
    usage, _, first, *_ = run(name, "--help").stdout.splitlines()
    assert usage.startswith(f"Usage: schedframe {name} ")
    assert first == f"  {line}"


@pytest.mark.parametrize("command", [[], *([command] for command in RUN_AS_THEY_STAND)])
def test_the_examples_of_help_work(command: list[str]) -> None:
    done = run(*command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    found = examples(done.stdout)
    assert found
    for example in found:
        assert example.startswith(" ".join(["schedframe", *command]))
        shell = example.replace("schedframe", f'"{sys.executable}" -m schedframe', 1)
        shown = subprocess.run(shell, shell=True, capture_output=True, text=True, check=False)
        assert (shown.returncode, shown.stderr) == (0, ""), example
        assert shown.stdout or ">" in example


def test_an_unknown_command_is_a_usage_error() -> None:
    done = run("chekc")
    assert (done.returncode, done.stdout) == (2, "")
    assert "chekc" in done.stderr


@pytest.mark.parametrize("library", ["typer", "rich", "plotext"])
def test_without_the_extra_it_says_what_to_install(library: str) -> None:
    program = f"import sys; sys.modules[{library!r}] = None; from schedframe._cli import main; main()"
    done = run("preview", "run.yaml", command=[sys.executable, "-c", program])
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"the command line needs {library}, which is not installed: pip install 'schedframe[cli]'",
        "without installing it: uvx --from 'schedframe[cli]' schedframe",
    ]


def test_other_missing_modules_are_not_hidden() -> None:
    program = "import sys; sys.modules['schedframe._plugins.hooks'] = None; from schedframe._cli import main; main()"
    done = run("check", "run.yaml", command=[sys.executable, "-c", program])
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert "schedframe._plugins.hooks" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["preview", "run.yaml", "--points", "20000", "--format", "csv"], ["preview", "run.yaml"], ["styles"], ["--help"]],
)
def test_a_reader_that_goes_away_is_no_error(arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as out:
        done = subprocess.run([*SCHEDFRAME, *arguments], stdout=out, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("arguments", [["preview", "run.yaml"], ["--version"], ["check", "run.yaml"]])
def test_output_that_cannot_be_written_is_reported(arguments: list[str]) -> None:
    with open("/dev/full", "w") as out:
        done = subprocess.run([*SCHEDFRAME, *arguments], stdout=out, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "schedframe: the output cannot be written: No space left on device\n"


@pytest.mark.parametrize("arguments", [["preview", "run.yaml"], ["styles"], ["styles", "WSD"], ["check", "run.yaml"]])
def test_no_colours_where_it_is_piped(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 0
    assert "\x1b" not in done.stdout


def test_the_chart_is_eighty_by_twenty_where_it_is_piped() -> None:
    lines = run("preview", "run.yaml").stdout.splitlines()
    top = next(index for index, line in enumerate(lines) if "learning rate" in line)
    chart = lines[top : top + 20]
    assert max(map(len, chart)) == 80
    assert chart[-1].split() == ["0", "20M", "40M", "60M", "80M", "100M"]
    assert lines[top + 20].split() == ["warmup", "cosine"]


def on_a_terminal(columns: int, *arguments: str, **environment: str) -> str:
    pty, termios, fcntl = (pytest.importorskip(name) for name in ("pty", "termios", "fcntl"))
    main, worker = pty.openpty()
    fcntl.ioctl(worker, termios.TIOCSWINSZ, columns.to_bytes(2, sys.byteorder).join([b"\x18\x00", b"\0\0\0\0"]))
    process = subprocess.Popen(
        [*SCHEDFRAME, *arguments], stdout=worker, env={**os.environ, "TERM": "xterm-256color", **environment}
    )
    os.close(worker)
    shown = b""
    while True:
        try:
            part = os.read(main, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(main)
    assert process.wait() == 0
    return shown.decode()


def test_a_narrow_terminal_wraps_between_words() -> None:
    assert on_a_terminal(50, "check", "run.yaml").splitlines() == [
        "run.yaml: ok",
        "  cosine, max LR 3e-4, min LR 0, warmup 1M, decay",
        "  100M, weight decay 0 to 0.1 by linear over 100M,",
        "  rules for router",
        "1 note; --notes shows the notes",
    ]


def test_a_terminal_gets_colours_and_a_chart_of_its_width() -> None:
    shown = on_a_terminal(100, "preview", "run.yaml")
    assert "\x1b[38;5;12m" in shown
    plain = on_a_terminal(100, "preview", "run.yaml", NO_COLOR="1")
    assert "\x1b[38;5;12m" not in plain
    assert max(len(line) for line in plain.splitlines() if "┤" in line or "└" in line) == 100


LISTING_MODULES = """
import atexit, sys
from schedframe._cli import main

atexit.register(lambda: print(*sys.modules, file=sys.stderr))
main()
"""


def modules_imported_by(*arguments: str) -> set[str]:
    done = run(*arguments, command=[sys.executable, "-c", LISTING_MODULES])
    assert done.returncode == 0
    return set(done.stderr.split())


def packages_imported_by(*arguments: str) -> set[str]:
    return {module.partition(".")[0] for module in modules_imported_by(*arguments)}


def test_the_chart_needs_plotext_and_nothing_needs_torch() -> None:
    imported = packages_imported_by("preview", "run.yaml")
    assert {"rich", "plotext", "pydantic"} < imported
    assert "torch" not in imported


@pytest.mark.parametrize(
    "arguments", [["preview", "run.yaml", "--format", "csv"], ["preview", "run.yaml", "--format", "json"]]
)
def test_csv_and_json_need_neither_rich_nor_plotext(arguments: list[str]) -> None:
    imported = packages_imported_by(*arguments)
    assert "pydantic" in imported
    assert not imported & {"rich", "plotext", "torch"}


@pytest.mark.parametrize("arguments", [["check", "run.yaml"], ["styles"], ["preview", "run.yaml", "--no-chart"]])
def test_without_a_chart_there_is_no_plotext(arguments: list[str]) -> None:
    assert not packages_imported_by(*arguments) & {"plotext", "torch"}


def test_help_imports_no_command_and_nothing_of_a_schedule() -> None:
    own = {module for module in modules_imported_by("--help") if module.startswith("schedframe.")}
    assert own == {
        "schedframe._cli",
        "schedframe._cli.app",
        "schedframe._cli.exit_codes",
        "schedframe._errors",
        "schedframe._version",
    }
    assert not packages_imported_by("--help") & {"pydantic", "pydantic_core", "ruamel", "pluggy", "rich", "torch"}


def test_a_command_imports_no_other_command() -> None:
    imported = modules_imported_by("check", "run.yaml")
    assert {name for name in COMMANDS if f"schedframe._cli.{name}" in imported} == {"check"}


FRAGILE = """
    import warnings
    from typing import Literal
    import schedframe
    from schedframe.styles import LRCurve

    class Fragile(LRCurve):
        style: Literal["fragile"] = "fragile"

        def coefficient(self, progress):
            if 0.3 < progress < 0.31:
                raise RuntimeError("a bad spot")
            if progress == 0.5:
                warnings.warn("half way", schedframe.SchedframeWarning)
                warnings.warn("in general", UserWarning)
            return 1.0 - progress
"""


@pytest.fixture
def fragile(install: Callable[..., Path]) -> str:
    Path("fragile.yaml").write_text("lr_decay_steps: 1000\nmax_lr: 1.0\nlr_decay_style: fragile\n")
    return str(install("fragile", FRAGILE, lr_styles={"fragile": "fragile_mod:Fragile"}))


def test_a_style_that_fails_at_a_step_is_named(fragile: str) -> None:
    done = run("preview", "fragile.yaml", "--at", "305", "--no-chart", PYTHONPATH=fragile)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == "the schedule fails at step 305: RuntimeError: a bad spot"


def test_warnings_of_schedframe_take_one_line(fragile: str) -> None:
    done = run("preview", "fragile.yaml", "--at", "500", "--no-chart", PYTHONPATH=fragile)
    assert done.returncode == 0
    assert "warning: half way\n" in done.stderr
    assert "UserWarning: in general\n" in done.stderr
