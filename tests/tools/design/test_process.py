"""The command: what it prints, when it ends, and what it refuses."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from schedframe._tools.design.presence import GRACE

from ...designer import designing
from ...runs import FILE, cli

HANGING = """\
import time
from typing import Literal
from schedframe.styles import LRCurve
import schedframe

class Hanging(LRCurve):
    style: Literal["hanging"] = "hanging"

    def coefficient(self, progress):
        while True:
            time.sleep(0.01)

schedframe.lr_styles.register(Hanging)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "run.yaml"
    path.write_text(FILE)
    return path


def test_ctrl_c_ends_it(file: Path) -> None:
    with designing(file) as designer:
        assert designer.ask("GET", "/").status == 200
        designer.interrupt()
        assert designer.ended() == (0, "ended\n", "")


def test_ctrl_c_ends_it_while_a_page_is_open(file: Path) -> None:
    with designing(file) as designer, designer.page() as answer:
        assert answer.startswith("HTTP/1.1 101")
        designer.interrupt()
        assert designer.ended()[0] == 0


def test_it_ends_when_its_last_page_closes(file: Path) -> None:
    with designing(file) as designer:
        with designer.page(), designer.page():
            pass
        assert designer.ended()[::2] == (0, "")


def test_a_page_that_is_loaded_again_keeps_it_open(file: Path) -> None:
    with designing(file) as designer:
        with designer.page():
            pass
        with designer.page(), pytest.raises(subprocess.TimeoutExpired):
            designer.process.wait(GRACE + 1)


def test_a_style_that_never_returns_stops_neither_saving_nor_ctrl_c(file: Path, tmp_path: Path) -> None:
    module = tmp_path / "hanging.py"
    module.write_text(HANGING)
    with designing(file, "--import", module) as designer:
        text = "max_lr: 1\nlr_decay_steps: 10\nlr_decay_style: hanging\n"
        with socket.create_connection(("127.0.0.1", designer.port)) as connection:
            body = f'{{"text": {text!r}, "with_saved": false}}'.replace("'", '"').encode()
            head = f"POST /check HTTP/1.1\r\nHost: 127.0.0.1:{designer.port}\r\nX-Token: {designer.token}\r\n"
            connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            fingerprint = designer.save(text, "what it was").data["fingerprint"]
            assert designer.save(text, fingerprint).status == 200
            designer.interrupt()
            assert designer.ended() == (0, "ended\n", "")
    assert file.read_text() == text


def test_the_port_can_be_given(file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with designing(file, "--port", port) as designer:
        assert designer.port == port


def test_a_port_that_is_in_use_is_refused(file: Path) -> None:
    pytest.importorskip("uvicorn")
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = cli("design", file, "--no-open", "--port", other.getsockname()[1], columns=200)
    assert (done.code, "cannot be used: Address already in use" in done.err) == (2, True)


@pytest.mark.parametrize("name", ["run.txt", "no/run.yaml"])
def test_a_file_that_cannot_be_saved_is_refused(tmp_path: Path, name: str) -> None:
    pytest.importorskip("uvicorn")
    done = cli("design", tmp_path / name, "--no-open")
    assert (done.code, done.err.startswith(str(tmp_path / name))) == (2, True)


@pytest.mark.parametrize("library", ["starlette", "uvicorn", "wsproto"])
def test_without_the_extra_one_sentence_says_what_to_install(file: Path, library: str) -> None:
    pytest.importorskip("typer")
    program = f"import sys; sys.modules[{library!r}] = None; from schedframe._cli import main; main()"
    words = [sys.executable, "-c", program, "design", str(file)]
    done = subprocess.run(words, capture_output=True, text=True)
    sentence = f"""\
the command line needs {library}, which is not installed: pip install 'schedframe[design]'
without installing it: uvx --from 'schedframe[design]' schedframe
"""
    assert (done.returncode, done.stderr) == (2, sentence)


def test_the_browser_is_opened_at_the_address(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    class Browser:
        def open(self, address: str) -> bool:
            opened.append(address)
            signal.raise_signal(signal.SIGINT)
            return True

    pytest.importorskip("uvicorn")
    monkeypatch.setattr("schedframe._cli.design.browser", Browser)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    try:
        done = cli("design", file)
    finally:
        signal.signal(signal.SIGINT, before)
    assert (done.code, opened[0] in done.out) == (0, True)
