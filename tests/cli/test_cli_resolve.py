"""``schedframe resolve``: what it prints is a complete file, and loads to an equal schedule."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schedframe import ConfigError, load
from schedframe._cli import resolve as command
from schedframe._cli.app import app
from schedframe._schedule.keys import Keys

from ..runs import SCHEDULES

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FILE = re.compile(r"<!-- file: (\S+\.(?:yaml|toml|json)) -->\n```\w*\n(.*?)\n```", re.DOTALL)
OF_DOCS = {
    f"{page.stem}-{name}": (name, text)
    for page in PAGES
    for name, text in FILE.findall(page.read_text())
    if page.name != "first-style.md" and name != "wrong.yaml"  # its own style is installed on the way
}
HEAD = "max_lr: 3e-4\nmin_lr: 10%\ntrain_samples: 10M\n"
MADE = {
    "bounds alone": "",
    "a warmup's table without its style": "lr_warmup_steps: 1M\nlr_warmup_style: {shift: 1000}\n",
    "a flat WSD": "lr_decay_style: WSD\nwsd_decay_steps: 10%\nlr_wsd_decay_style: minus_sqrt\n",
    "a flat WSD without its curve": "lr_decay_style: wsd\nwsd_decay_steps: 2M\n",
    "WSD as a table": "lr_decay_style: {style: WSD, wsd_decay_steps: 10%}\n",
    "a curve with options in a table": (
        "lr_decay_style: {style: WSD, wsd_decay_steps: 1M, lr_wsd_decay_style: {style: polynomial, power: 2}}\n"
    ),
    "an alias": "lr_decay_style: {style: wsd, wsd_decay_steps: 1M}\nstart_wd: 0.1\nwd_incr_style: {style: constant}\n",
    "phases": (
        "lr_decay_style:\n  style: phases\n  phases:\n  - {style: constant, name: stable}\n"
        "  - {style: {style: polynomial, power: 2}, length: 20%, to: 50%}\n"
        "  - {style: linear, from: 40%, jump: true, length: 1M, to: min_lr}\n"
    ),
    "an open end": "lr_decay_steps: open\nlr_decay_style: inverse-square-root\nlr_warmup_steps: 1000\nstart_wd: 0.1\n",
    "open weight decay": "start_wd: 0.1\nend_wd: 0.1\nwd_incr_steps: open\n",
    "weight decay of its own": "start_wd: 0.1\nend_wd: 0.3\nwd_incr_style: linear\nwd_incr_steps: 50%\n",
    "weight decay by a learning-rate curve": "start_wd: 0.1\nend_wd: 0.3\nwd_incr_style: {style: minus_sqrt}\n",
    "units": (
        "global_batch_size: 1024\nseq_length: 4096\nlr_warmup_steps: 2B tokens\nlr_decay_steps: 9000 iters\n"
        "rampup_batch_size: [256, 256, 1M]\n"
    ),
    "another clock": "clock: iters\nglobal_batch_size: 1000\nlr_warmup_steps: 1%\nlr_decay_steps: 90% of run\n",
    "a part of a longer run": (
        "start_step: 1M\ninit_lr: current\nlr_warmup_steps: 1%\n"
        "parent: {fingerprint: 9f31c07be2d10c55, step: 1M}\nresume: {policy: strict, override: [max_lr]}\n"
    ),
    "a factor": "groups: [{role: router, match: {param: '*.router.*'}, lr_mult: 0.1, wd_mult: 0.0}]\n",
    "a rule with percentages": "groups: [{role: a, match: {index: 0}, max_lr: 0.1, min_lr: 5%, lr_warmup_steps: 2%}]\n",
    "a rule with its own horizon": (
        "lr_warmup_steps: 2%\nlr_decay_style: {style: WSD, wsd_decay_steps: 10%}\nstart_wd: 0.1\n"
        "groups: [{role: a, match: {regex: bias$}, lr_decay_steps: 5M}, "
        "{role: b, match: {key: {x: true}}, wd_incr_steps: 10%, end_wd: 0.3, wd_incr_style: linear}]\n"
    ),
    "a rule with its own horizon under phases": (
        "lr_decay_style: {style: phases, phases: [{style: constant, length: 50%}, {style: cosine}]}\n"
        "groups: [{role: a, match: {index: 0}, lr_decay_steps: 5M}]\n"
    ),
    "a rule with a flat WSD": (
        "groups: [{role: a, match: {index: 1}, lr_decay_style: WSD, wsd_decay_steps: 20%, lr_mult: 2}]\n"
    ),
    "a rule with an open end": (
        "lr_decay_style: inverse-square-root\nlr_warmup_steps: 1000\n"
        "groups: [{role: a, match: {index: 1}, lr_decay_steps: open}]\n"
    ),
    "a frozen role": "groups: [{role: a, match: {index: 0}, max_lr: 0, min_lr: 0, wd_mult: 0}]\nstart_wd: 0.1\n",
    "a warmup by name": "lr_warmup_steps: 1%\nlr_warmup_style: torchtitan\nglobal_batch_size: 8\n",
    "a warmup as a table": "lr_warmup_steps: 1%\nlr_warmup_style: {style: cosine, shift: 1}\n",
}


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def resolve(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["resolve", *arguments])
    return result.exit_code, result.stdout, result.stderr


def resolved(file: str, suffix: str) -> Path:
    """Return the file that holds what is printed, in a folder of its own: it depends on no other file."""
    code, out, err = resolve(file, "--format", suffix)
    assert (code, err) == (0, "")
    folder = Path("elsewhere")
    folder.mkdir(exist_ok=True)
    complete = folder / f"complete.{suffix}"
    complete.write_text(out)
    return complete


def assert_resolves(file: str) -> None:
    schedule = load(file)
    for suffix in ("yaml", "toml", "json"):
        complete = load(resolved(file, suffix))
        assert complete == schedule
        assert complete.fingerprint == schedule.fingerprint
        without_value = {key for key in Keys.model_fields if getattr(schedule, key) is None}
        assert Keys.model_fields.keys() - complete.origin.given.keys() == without_value


@pytest.mark.parametrize("name", OF_DOCS)
def test_every_file_of_the_documentation(name: str) -> None:
    file, _ = OF_DOCS[name]
    page = name.removesuffix(file)
    for other, (path, text) in OF_DOCS.items():
        if other == page + path:
            Path(path).write_text(text + "\n")
    assert_resolves(file)


@pytest.mark.parametrize("file", sorted(SCHEDULES.iterdir()), ids=lambda file: file.stem)
def test_schedules_with_phases_and_rules(file: Path) -> None:
    assert_resolves(str(file))


@pytest.mark.parametrize("name", MADE)
def test_every_kind_of_schedule(name: str) -> None:
    Path("run.yaml").write_text(HEAD + MADE[name])
    assert_resolves("run.yaml")


@pytest.mark.parametrize("file", sorted(ROOT.glob("plugins/*/example.yaml")), ids=lambda file: file.parent.name)
def test_styles_of_plugins(file: Path) -> None:
    try:
        load(file)
    except ConfigError as error:
        pytest.skip(f"needs the plugin: {error}")
    assert_resolves(str(file))


def test_inherited_keys_stand_in_the_output() -> None:
    Path("base.toml").write_text("train_samples = '10M'\nmax_lr = 3e-4\nlr_warmup_steps = '1%'\nstart_wd = 0.1\n")
    Path("middle.yaml").write_text("extends: base.toml\nlr_decay_style: cosine\nmin_lr: 10%\n")
    Path("run.json").write_text('{"extends": "middle.yaml", "max_lr": 1e-3, "lr_warmup_steps": null}')
    assert_resolves("run.json")
    assert load(resolved("run.json", "yaml")).origin.given == {
        "clock": "samples",
        "decrease_batch_size_if_needed": False,
        "start_step": 0,
        "train_samples": "10M",
        "lr_decay_steps": 10_000_000,
        "max_lr": 1e-3,
        "min_lr": "10%",
        "init_lr": 0.0,
        "lr_warmup_steps": 0,
        "lr_warmup_style": {"style": "linear", "shift": 0, "stretched": False},
        "lr_decay_style": "cosine",
        "start_wd": 0.1,
        "end_wd": 0.1,
        "wd_incr_steps": 10_000_000,
        "wd_incr_style": "constant",
        "first_update": 0,
        "interval": 0,
        "decay_from": "warmup",
        "groups": [],
        "resume": {"policy": "strict", "override": []},
    }


def test_the_format_is_that_of_the_file() -> None:
    Path("run.toml").write_text("train_samples = 100\nmax_lr = 1.0\n")
    assert resolve("run.toml") == resolve("run.toml", "--format", "toml")
    assert resolve("run.toml")[1].startswith('clock = "samples"\n')
    Path("run.yml").write_text("train_samples: 100\nmax_lr: 1.0\n")
    assert resolve("run.yml")[1].startswith("clock: samples\n")


def test_what_is_printed_stays_as_it_is_when_it_is_resolved_again() -> None:
    Path("run.yaml").write_text(HEAD + MADE["a rule with its own horizon"])
    once = resolved("run.yaml", "yaml")
    assert resolve(str(once))[1] == once.read_text()


def test_a_file_that_is_not_a_schedule_prints_nothing() -> None:
    Path("run.yaml").write_text("max_lr: fast\n")
    code, out, err = resolve("run.yaml")
    assert (code, out) == (2, "")
    assert "line 1, max_lr = 'fast': is not a number" in err
    assert resolve("missing.yaml")[:2] == (2, "")


def test_toml_has_no_null() -> None:
    Path("run.yaml").write_text(HEAD + "lr_decay_style: {style: phases, phases: [{style: linear, length: null}]}\n")
    for suffix in ("yaml", "json"):
        assert load(resolved("run.yaml", suffix)) == load("run.yaml")
    assert resolve("run.yaml", "--format", "toml") == (
        2,
        "",
        "run.yaml: has a null within a table, and TOML has no null; choose --format yaml or json\n",
    )


def test_keys_that_declare_another_schedule_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("run.yaml").write_text(HEAD)
    keys = {"max_lr": 1.0, "train_samples": 100}
    monkeypatch.setattr(command.Schedule, "to_dict", lambda schedule, resolve: keys)
    assert resolve("run.yaml") == (
        2,
        "",
        "run.yaml: cannot be written out: the resolved keys declare another schedule; this is a bug\n",
    )
