"""What ``preview`` and ``plot`` show of the files in tests/schedules: at 80 and 100 columns, in a pipe, in ASCII."""

from pathlib import Path

import pytest

from .screens import KEPT, SCREENS, Screen, bare, copy_files
from .test_cli_main import on_a_terminal, run


@pytest.fixture(autouse=True)
def _in_a_folder_with_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    for variable in ("COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
def test_a_screen_is_the_kept_one(screen: Screen) -> None:
    kept = (KEPT / f"{screen.name}.txt").read_text(encoding="utf-8")
    assert screen.show() == kept, "if it is meant, run python -m tests.cli.screens and look at every difference"


@pytest.mark.parametrize("screen", [screen for screen in SCREENS if screen.columns], ids=lambda screen: screen.name)
def test_a_screen_fits_its_terminal(screen: Screen) -> None:
    assert max(map(len, (KEPT / f"{screen.name}.txt").read_text(encoding="utf-8").splitlines())) <= screen.columns


@pytest.mark.parametrize("screen", [screen for screen in SCREENS if screen.ascii], ids=lambda screen: screen.name)
def test_a_screen_in_ascii_has_nothing_else(screen: Screen) -> None:
    assert (KEPT / f"{screen.name}.txt").read_text(encoding="utf-8").isascii()


def test_the_c_locale_alone_keeps_unicode() -> None:
    assert run("preview", "run.yaml", LC_ALL="C").stdout == run("preview", "run.yaml").stdout


def test_a_chart_in_a_pipe_is_that_of_eighty_columns() -> None:
    _, _, chart = run("preview", "run.yaml").stdout.partition("after the end")
    assert bare(on_a_terminal(80, "preview", "run.yaml", NO_COLOR="1")).endswith(chart)


def test_colours_change_nothing_but_colours() -> None:
    coloured = on_a_terminal(80, "preview", "run.yaml")
    assert "\x1b[38;5;12m" in coloured
    assert bare(coloured) == (KEPT / "run-80.txt").read_text(encoding="utf-8")


def test_lines_are_distinguished_by_colours_where_there_are_some() -> None:
    shown = on_a_terminal(80, "preview", "moe.yaml")
    assert "\x1b[38;5;12m⠤⠤\x1b[0m default, biases   \x1b[38;5;9m⠤⠤\x1b[0m router" in shown
