"""The page as a file: its data are exact, its texts stay texts, and it names nothing outside of itself."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from schedframe import Schedule
from schedframe._tools.views.page import html
from schedframe._tools.views.page.data import Shown, page_data

from ..runs import Optimizer, cli
from .conftest import data_of

Write = Callable[..., Path]
ROLES = ("default", "router", "biases")
HOSTILE = "</script><script>alert(1)</script><!-- <img src=x onerror=alert(1)> &amp; \u2028"


def test_every_value_is_what_the_param_groups_get_at_its_step(write: Write, moe: Path, schedule: Schedule) -> None:
    data = data_of(write(moe))
    optimizer = Optimizer(*({"params": [], "role": role} for role in ROLES))
    scheduler = schedule.build(optimizer)
    values = {
        (panel["quantity"], curve["role"]): curve["values"] for panel in data["panels"] for curve in panel["curves"]
    }
    steps = data["files"][0]["positions"]["samples"]
    assert len(steps) > 400
    for index, step in enumerate(steps):
        scheduler.step(step - scheduler.num_steps)
        for role, group in zip(ROLES, optimizer.param_groups, strict=True):
            assert (group["lr"], group["weight_decay"]) == (values["lr", role][index], values["wd", role][index])


def test_every_position_is_the_schedules_in_each_unit(write: Write, moe: Path, schedule: Schedule) -> None:
    positions = data_of(write(moe))["files"][0]["positions"]
    for index, step in enumerate(positions["samples"]):
        assert {unit: xs[index] for unit, xs in positions.items()} == schedule.units_at(step)


def test_every_step_is_whole(write: Write, moe: Path) -> None:
    assert all(step == int(step) for step in data_of(write(moe))["files"][0]["positions"]["samples"])


def test_most_of_the_points_are_whole_iterations(write: Write, moe: Path) -> None:
    iters = data_of(write(moe))["files"][0]["positions"]["iters"]
    assert sum(at == int(at) for at in iters) > 380


def test_a_jump_lies_between_two_steps(write: Write, tmp_path: Path) -> None:
    file = tmp_path / "jump.yaml"
    file.write_text(
        "train_samples: 1_000_000\nmax_lr: 1.0\n"
        "lr_decay_style: {style: multi-step, milestones: [0.3], multipliers: [0.1]}\n"
    )
    data = data_of(write(file))
    steps, values = data["files"][0]["positions"]["samples"], data["panels"][0]["curves"][0]["values"]
    before = max(index for index, value in enumerate(values) if value == 1.0)
    assert steps[before + 1] - steps[before] == 1


def test_the_page_is_small(write: Write, moe: Path) -> None:
    assert write(moe).stat().st_size <= 250 * 1024


def test_a_panel_has_the_phases_that_a_picture_has(write: Write, moe: Path, schedule: Schedule) -> None:
    slow = "\n  - {role: slow, match: {param: slow}, lr_mult: 0.9, lr_warmup_steps: 50%}\n"
    moe.write_text(moe.read_text().rstrip() + slow)
    lr, *_ = data_of(write(moe))["panels"]
    for unit, phases in lr["phases"].items():
        assert [phase["name"] for phase in phases] == ["warmup", "stable", "anneal"]
        ends = [schedule.units_at(step)[unit] for step in (schedule.lr_warmup_steps, schedule.end_step)]
        assert [phases[0]["end"], phases[-1]["end"]] == pytest.approx(ends, rel=1e-5)
    borders = {curve["role"]: curve["borders"]["samples"] for curve in lr["curves"]}
    assert [x for x, _ in borders.pop("slow")] == pytest.approx([61_035_156, 109_863_281], abs=2)
    assert borders == {"default": [], "router": [], "biases": []}


def test_several_files_with_different_phases_have_none(write: Write, moe: Path) -> None:
    other = moe.with_name("other.yaml")
    other.write_text("train_tokens: 500B\nseq_length: 4096\nglobal_batch_size: 1024\nmax_lr: 2e-4\n")
    assert data_of(write(moe, other))["panels"][0]["phases"] == {"samples": [], "iters": [], "tokens": []}


def test_a_summary_findings_and_the_text_stand_beside_the_curves(write: Write, moe: Path) -> None:
    file = data_of(write(moe))["files"][0]
    assert file["summary"].startswith("phases(")
    assert [(finding["code"], finding["line"]) for finding in file["findings"]] == [("SF305", 6)]
    assert file["texts"] == [{"file": str(moe), "text": moe.read_text()}]


def test_the_texts_of_extended_files_are_there_too(write: Write, moe: Path) -> None:
    child = moe.with_name("child.yaml")
    child.write_text("extends: moe.yaml\nmax_lr: 1e-4\n")
    names = [text["file"] for text in data_of(write(child))["files"][0]["texts"]]
    assert names == [str(child), str(moe)]


def test_a_file_that_ends_a_script_stays_a_text(write: Write, moe: Path) -> None:
    moe.write_text(moe.read_text() + f"# {HOSTILE}\n", "utf-8")
    page = write(moe, "--title", HOSTILE)
    data = data_of(page)
    assert data["title"] == HOSTILE
    assert data["files"][0]["texts"][0]["text"].endswith(f"# {HOSTILE}\n")
    assert page.read_text("utf-8").count("<script") == 2


def test_a_page_names_no_address_to_load(write: Write, moe: Path) -> None:
    text = write(moe).read_text("utf-8")
    assert re.findall(r"""(?:src|href)=["']?([^"'\s>]+)""", text) == ["data:,"]
    assert "default-src 'none'" in text


def test_the_licence_of_the_library_is_in_the_page(write: Write, moe: Path) -> None:
    text = write(moe).read_text("utf-8")
    assert "Permission is hereby granted, free of charge" in text
    assert "Leon Sorokin" in text


def test_the_options_of_plot_are_where_the_page_begins(write: Write, moe: Path) -> None:
    data = data_of(write(moe, "--x", "iters", "--log", "--what", "lrwd", "--title", "A run"))
    assert (data["unit"], data["log"], data["title"]) == ("iters", True, "A run")
    assert [panel["quantity"] for panel in data["panels"]] == ["lrwd"]


def test_a_file_name_that_is_no_text_is_shown_all_the_same(write: Write, schedule: Schedule, tmp_path: Path) -> None:
    page = tmp_path / "named.html"
    page.write_text(html.page_of(page_data([Shown("m\udcffe.yaml", schedule)])), "utf-8")
    assert data_of(page)["files"][0]["name"] == "m\udcffe.yaml"


def test_a_run_of_less_than_a_step_has_two_points(write: Write, tmp_path: Path) -> None:
    file = tmp_path / "short.yaml"
    file.write_text("lr_decay_steps: 0.5\nmax_lr: 1.0\n")
    assert data_of(write(file))["files"][0]["positions"] == {"samples": [0, 1]}


def test_files_have_the_units_that_all_of_them_know(write: Write, moe: Path) -> None:
    other = moe.with_name("other.yaml")
    other.write_text("max_lr: 1e-4\nlr_decay_steps: 50M\n")
    data = data_of(write(moe, other))
    assert data["units"] == ["samples"]
    assert [file["roles"] for file in data["files"]] == [list(ROLES), ["default"]]


def test_a_mark_is_in_every_unit(write: Write, moe: Path) -> None:
    moe.write_text(moe.read_text().replace("train_tokens: 500B", "train_tokens: 500B\nlr_decay_steps: 400B tokens"))
    marks = data_of(write(moe))["marks"]
    assert [(mark["label"], mark["at"]["tokens"]) for mark in marks] == [("decay end", 4e11)]


def test_the_position_of_a_checkpoint_is_marked(write: Write, moe: Path, schedule: Schedule) -> None:
    state = moe.with_name("state.json")
    scheduler = schedule.build(Optimizer(*({"params": [], "role": role} for role in ROLES)))
    scheduler.step(1_000_000)
    state.write_text(json.dumps(scheduler.state_dict()))
    assert data_of(write(moe, "--checkpoint", state))["marks"] == [
        {"label": "checkpoint", "at": schedule.units_at(1_000_000)}
    ]


def test_a_page_that_is_there_is_replaced(write: Write, moe: Path) -> None:
    first = write(moe).read_bytes()
    assert write(moe).read_bytes() == first


def test_a_page_where_no_folder_is_cannot_be_written(write: Write, moe: Path) -> None:
    done = cli("plot", moe, "-o", moe.parent / "no" / "page.html")
    assert (done.code, "there is no folder" in done.err) == (2, True)


def test_without_the_front_end_one_sentence_says_how_to_build_it(
    moe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("typer")
    monkeypatch.setattr(html, "_BUILT", tmp_path)
    done = cli("plot", moe, "-o", tmp_path / "page.html", columns=200)
    assert done.code == 2
    assert "install Node.js and build them (`make frontend` in a checkout)" in done.err
