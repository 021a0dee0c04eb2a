"""``schedframe predict``, ``propose`` and ``backtest``, on the real run of the how-to page."""

import json
import re
import sys
from pathlib import Path
from subprocess import run

import pytest

from schedframe import load

from ..runs import cli

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "predict-the-loss.md").read_text()
FILE = re.compile(r"<!-- file: (\S+) -->\n```\w*\n(.*?\n)```", re.DOTALL)
FIT = ("--fit", "cosine.jsonl:cosine.yaml")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of the page, in the working directory."""
    for name, text in FILE.findall(PAGE):
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", re.findall(r"^\$ schedframe (p.*)$", PAGE, re.MULTILINE))
def test_it_prints_what_the_page_shows(command: str) -> None:
    done = cli(*command.split())
    assert done.code == 0
    shown = PAGE.split(f"$ schedframe {command}\n")[1].partition("```")[0]
    assert re.sub(r"\d", "#", done.out) == re.sub(r"\d", "#", shown)


def test_the_first_screen_has_the_limits_of_the_evidence() -> None:
    out = cli("predict", *FIT, "half.yaml").out
    assert out.index("There is no evidence for Muon, MoE, 7B") < out.index("final loss")
    assert "the same model, data, batch size, optimizer and weight decay" in out


def test_what_is_too_close_to_call_ends_with_1(folder: Path) -> None:
    text = (folder / "half.yaml").read_text()
    (folder / "near.yaml").write_text(text.replace("50%", "45%"))
    done = cli("predict", *FIT, "half.yaml", "near.yaml")
    assert (done.code, "too close to call" in done.out.splitlines()[-1]) == (1, True)


@pytest.mark.parametrize("format", ["text", "json"])
def test_the_fitted_file_alone_is_compared_with_nothing(format: str) -> None:
    done = cli("predict", *FIT, "cosine.yaml", "--format", format)
    assert (done.code, done.err, "1.25" in done.out, "lowest:" in done.out) == (0, "", True, False)


def test_a_refusal_ends_with_2_and_its_number(folder: Path) -> None:
    text = (folder / "half.yaml").read_text()
    (folder / "long.yaml").write_text(text.replace("192_000", "1_920_000"))
    done = cli("predict", *FIT, "long.yaml")
    assert (done.code, done.out) == (2, "")
    assert "long.yaml: it is 10.0 times as long as the longest fitted run" in done.err


def test_json_has_exact_numbers() -> None:
    data = json.loads(cli("predict", *FIT, "half.yaml", "most.yaml", "--format", "json").out)
    half, most = data["files"]
    assert data["lowest"]["file"] == "half.yaml"
    assert half["bounds"][0] < half["final"] < half["bounds"][1]
    assert (half["too_close_to_call"], most["too_close_to_call"]) == (False, True)
    assert half["other_laws"].keys() == {"multi-power", "momentum", "functional-scaling"}


@pytest.mark.parametrize("text", ["cosine.jsonl", "cosine.jsonl:", ":cosine.yaml"])
def test_what_is_no_log_and_file_is_refused(text: str) -> None:
    done = cli("predict", "--fit", text, "half.yaml")
    assert (done.code, "is not of the form LOG:FILE" in done.err) == (2, True)


def test_a_colon_in_a_name_is_no_border_where_the_files_are_there(folder: Path) -> None:
    (folder / "a:b.jsonl").write_text((folder / "cosine.jsonl").read_text())
    assert cli("predict", "--fit", "a:b.jsonl:cosine.yaml", "half.yaml").code == 0


def test_the_columns_can_be_named(folder: Path) -> None:
    text = (folder / "cosine.jsonl").read_text()
    (folder / "other.jsonl").write_text(text.replace("iteration", "update").replace("loss", "val_loss"))
    named = ("--loss", "val_loss", "--step", "update")
    assert cli("predict", "--fit", "other.jsonl:cosine.yaml", *named, "half.yaml").code == 0


def test_the_terminal_shows_the_losses() -> None:
    out = cli("predict", *FIT, "half.yaml", "--plot").out
    assert "loss over iters" in out
    assert out.count("\n") > 25


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_a_picture_is_drawn(folder: Path, suffix: str) -> None:
    pytest.importorskip("matplotlib")
    assert cli("predict", *FIT, "half.yaml", "most.yaml", "-o", f"x.{suffix}").code == 0
    assert (folder / f"x.{suffix}").stat().st_size > 10_000


def test_a_page_has_bands_and_measured_losses(folder: Path) -> None:
    done = cli("predict", *FIT, "half.yaml", "most.yaml", "-o", "x.html")
    if "built without its page" in done.err:
        pytest.skip("the front end is not built")
    text = (folder / "x.html").read_text()
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])
    loss, lr = data["panels"]
    assert (loss["quantity"], lr["quantity"], len(loss["bands"])) == ("loss", "lr", 2)
    assert len(loss["dots"][0]["values"]) == len(loss["dots"][0]["at"]["samples"]) == 55
    for curve, band in zip(loss["curves"], loss["bands"], strict=True):
        assert len(curve["values"]) == len(data["files"][curve["file"]]["positions"]["iters"])
        assert all(
            low < value < high
            for low, value, high in zip(band["lower"], curve["values"], band["upper"], strict=True)
            if value is not None
        )


def test_the_proposed_file_loads_and_specifies_what_was_predicted_from_what(folder: Path) -> None:
    assert cli("propose", *FIT, "cosine.yaml", "-o", "better.yaml").code == 0
    text = (folder / "better.yaml").read_text()
    assert "# predicted by the law intrinsic-time from cosine.jsonl with cosine.yaml" in text
    better, cosine = load(folder / "better.yaml"), load(folder / "cosine.yaml")
    assert (better.max_lr, better.train_steps) == (cosine.max_lr, cosine.train_steps)
    assert better.lr_style.style == "WSD"


def test_a_file_that_is_there_is_kept(folder: Path) -> None:
    (folder / "better.yaml").write_text("mine")
    done = cli("propose", *FIT, "cosine.yaml", "-o", "better.yaml")
    assert (done.code, (folder / "better.yaml").read_text()) == (2, "mine")
    assert cli("propose", *FIT, "cosine.yaml", "-o", "better.yaml", "--force").code == 0


def test_a_proposal_that_is_not_known_to_be_better_says_so() -> None:
    cli("propose", *FIT, "cosine.yaml", "-o", "better.yaml")
    done = cli("propose", *FIT, "better.yaml")
    assert (done.code, "the same schedule" in done.out) == (1, True)


def test_proposals_as_json_have_the_keys_that_change() -> None:
    data = json.loads(cli("propose", *FIT, "cosine.yaml", "--format", "json").out)
    assert data["proposed"]["keys"]["lr_decay_style"]["style"] == "WSD"
    assert data["against"]["cosine"]["difference"] < 0


def test_an_unknown_family_is_refused() -> None:
    done = cli("propose", *FIT, "cosine.yaml", "--family", "all")
    assert (done.code, "choose wsd or phases" in done.err) == (2, True)


def test_one_run_alone_cannot_be_tested() -> None:
    done = cli("backtest", *FIT)
    assert (done.code, "two at least are needed" in done.err) == (2, True)


def test_each_run_is_predicted_from_the_others() -> None:
    again = ("--fit", "cosine.jsonl:cosine.yaml")
    data = json.loads(cli("backtest", *FIT, *again, "--format", "json").out)
    assert [abs(each["error"]) < 0.01 for each in data["runs"]] == [True, True]
    assert cli("backtest", *FIT, *again).out.count("cosine.jsonl") == 2


def test_without_numpy_it_says_what_to_install() -> None:
    program = "import sys; sys.modules['numpy'] = None; from schedframe._cli import main; main()"
    done = run([sys.executable, "-c", program, "predict", *FIT, "half.yaml"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "numpy, which is not installed: pip install 'schedframe[foresight]'" in done.stderr
