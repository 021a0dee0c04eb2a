"""``schedframe init``: from flags or questions to a file that check passes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import schedframe
from schedframe._tools.beginning import table_of
from schedframe._tools.design.file import DesignedFile

from ..runs import cli

FLAGS = ("--max-lr", "3e-4", "--style", "WSD")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def fits(style: str) -> bool:
    try:
        return bool(table_of(style))
    except schedframe.ConfigError:
        return False


@pytest.mark.parametrize("style", [name for name in schedframe.lr_styles if fits(name)])
@pytest.mark.parametrize("length", [("--tokens", "2T"), ("--samples", "500M"), ("--iters", "100K")])
def test_check_finds_nothing_worse_than_a_note_in_the_file(style: str, length: tuple[str, str]) -> None:
    assert cli("init", *length, "--max-lr", "3e-4", "--style", style).code == 0
    assert cli("check", "run.schedule.yaml").code == 0


def test_the_file_declares_what_the_flags_say() -> None:
    cli("init", "--tokens", "2T", *FLAGS, "--seq-length", "8192", "--global-batch-size", "512", "-o", "run.yaml")
    schedule = schedframe.load("run.yaml")
    assert (schedule.train_tokens, schedule.seq_length, schedule.global_batch_size) == (2e12, 8192, 512)
    assert (schedule.max_lr, schedule.lr_style.style) == (3e-4, "WSD")


def test_design_opens_the_file_and_draws_it() -> None:
    cli("init", "--tokens", "2T", *FLAGS)
    designed = DesignedFile(Path("run.schedule.yaml"))
    begun = designed.beginning()
    assert not begun["isNew"]
    assert designed.check(begun["text"], with_saved=True)["page"]["panels"]


def test_every_key_of_the_file_has_a_comment() -> None:
    cli("init", "--tokens", "2T", "--max-lr", "3e-4", "--style", "cosine")
    assert all(" # " in line for line in Path("run.schedule.yaml").read_text().splitlines())


def test_another_spelling_of_a_style_is_written_as_its_name() -> None:
    cli("init", "--tokens", "2T", "--max-lr", "3e-4", "--style", "wsd")
    assert "  style: WSD\n" in Path("run.schedule.yaml").read_text()


def test_a_file_that_is_there_is_kept() -> None:
    Path("run.schedule.yaml").write_text("mine")
    done = cli("init", "--tokens", "2T", *FLAGS)
    assert (done.code, Path("run.schedule.yaml").read_text()) == (2, "mine")
    assert done.err == "run.schedule.yaml: already exists; choose another name with --output\n"


def test_what_check_would_report_is_reported() -> None:
    done = cli("init", "--tokens", "2T", "--max-lr", "3", "--style", "WSD")
    assert done.code == cli("check", "run.schedule.yaml").code == 1
    assert "SF601 warning: max_lr = 3: " in done.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["--tokens", "2T", "--style", "WSD"],
            "'--max-lr': is missing; give it, or run the command on a terminal, where it asks for it",
        ),
        (["--max-lr", "1"], "'--tokens': is missing; give it, or run the command on a terminal, where it asks for it"),
        (["--tokens", "2T", "--iters", "5", *FLAGS], "give one of --tokens, --samples and --iters"),
        (["--tokens", "many", *FLAGS], "train_tokens = 'many': is not a length"),
        (["--tokens", "2T", "--max-lr", "high", "--style", "WSD"], "max_lr = 'high': "),
        (["--tokens", "2T", "--max-lr", "1", "--style", "cosin"], "did you mean 'cosine'?"),
        (["--tokens", "2T", "--max-lr", "1", "--style", "phases"], "`schedframe styles phases` lists them"),
        (["--tokens", "2T", *FLAGS, "-o", "run.toml"], "run.toml: is not YAML, which init writes"),
        (["--tokens", "2T", *FLAGS, "-o", "none/run.yaml"], "there is no folder none"),
    ],
)
def test_what_makes_no_file_is_refused(words: list[str], told: str, tmp_path: Path) -> None:
    done = cli("init", *words)
    assert done.code == 2
    assert told in done.err
    assert list(tmp_path.iterdir()) == []


def typed(*lines: str) -> tuple[int, str]:
    """Run ``schedframe init`` on a terminal where these lines are typed."""
    pty = pytest.importorskip("pty")
    main, worker = pty.openpty()
    command = [sys.executable, "-m", "schedframe", "init"]
    process = subprocess.Popen(command, stdin=worker, stdout=worker, stderr=worker)
    os.close(worker)
    os.write(main, "".join(f"{line}\n" for line in lines).encode())
    shown = b""
    try:
        while part := os.read(main, 4096):
            shown += part
    except OSError:
        pass
    os.close(main)
    return process.wait(), shown.decode()


def test_a_terminal_is_asked_three_questions() -> None:
    code, shown = typed("500B tokens", "1e-3", "cosine")
    assert code == 0, shown
    schedule = schedframe.load("run.schedule.yaml")
    assert (schedule.train_tokens, schedule.max_lr, schedule.lr_style.style) == (5e11, 1e-3, "cosine")


def test_an_answer_that_cannot_be_used_is_asked_again() -> None:
    code, shown = typed("500B", "500B tokens", "-1", "", "cosin", "")
    assert code == 0, shown
    assert "write it with its unit: 2T tokens, 500M samples or 100K iters" in shown
    assert "did you mean 'cosine'?" in shown
    assert schedframe.load("run.schedule.yaml").max_lr == 3e-4
