"""``schedframe plot`` without a file to write: in a browser, or in the terminal."""

import sys
from pathlib import Path

import pytest

from schedframe._tools.views.page.html import is_built

from ..runs import FILE, cli
from .test_cli_main import on_a_terminal

CURVE = "learning rate"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = tmp_path / "run.yaml"
    path.write_text(FILE)
    return path


@pytest.fixture
def browser(tmp_path: Path) -> dict[str, str]:
    """A browser that notes which address it is to open: the variables that make it the one to use."""
    if not is_built():
        pytest.skip("the page is not built: it needs Node.js, and then `make frontend`")
    program = tmp_path / "browser"
    program.write_text(f"#!{sys.executable}\nimport sys\nopen(sys.argv[0] + '.opened', 'w').write(sys.argv[1])\n")
    program.chmod(0o755)
    return {"BROWSER": f"{program} %s", "TMPDIR": str(tmp_path)}


def opened(folder: Path) -> str:
    return (folder / "browser.opened").read_text()


def test_plot_opens_the_page_in_the_browser(run: Path, browser: dict[str, str]) -> None:
    shown = on_a_terminal(100, "plot", str(run), **browser)
    page = Path(opened(run.parent).removeprefix("file://"))
    assert shown.replace("\r\n", "") == f"opened {page}"
    assert page.name == "run.html"
    assert '"title":"' in page.read_text()


def test_plot_draws_in_the_terminal_where_that_is_asked_for(run: Path, browser: dict[str, str]) -> None:
    assert CURVE in on_a_terminal(100, "plot", str(run), "--no-open", **browser)
    assert not (run.parent / "browser.opened").exists()


def test_plot_draws_in_the_terminal_where_no_window_can_open(run: Path) -> None:
    nothing = dict.fromkeys(("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"), "")
    assert CURVE in on_a_terminal(100, "plot", str(run), **nothing, SSH_CONNECTION="there")


def test_plot_draws_in_the_terminal_where_the_browser_fails(run: Path, browser: dict[str, str]) -> None:
    assert CURVE in on_a_terminal(100, "plot", str(run), **{**browser, "BROWSER": "false %s"})


def test_plot_into_a_pipe_opens_nothing(run: Path) -> None:
    done = cli("plot", run)
    assert (done.code, CURVE in done.out) == (0, True)


def test_plot_refuses_a_learning_rate_that_only_a_checkpoint_knows(run: Path) -> None:
    run.write_text(f"{FILE}init_lr: current\nstart_step: 500\n")
    done = cli("plot", run)
    assert (done.code, done.err.startswith("init_lr is `current`")) == (2, True)


def test_plot_names_every_format_that_it_writes(run: Path) -> None:
    done = cli("plot", run, "-o", "run.txt", columns=200)
    assert (done.code, "run.txt must end in one of .html, .png, .svg, .pdf" in done.err) == (2, True)
