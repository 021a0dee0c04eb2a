"""Changed configs: each is a schedule that works, or a `ConfigError`."""

import json
import random
from pathlib import Path

import pytest

import schedframe
from schedframe import SchedframeError, Schedule
from schedframe._files.config.document import parse_text
from schedframe._files.config.dump import dump
from schedframe._tools.design.file import DesignedFile
from schedframe._tools.views.table import evaluate, labelled_steps

from .corpus import as_json, changed_bytes, changed_data, examples, good_data, good_files, good_texts, in_time

pytestmark = [pytest.mark.no_cover, pytest.mark.filterwarnings("ignore")]


def use(schedule: Schedule) -> None:
    """Do everything with `schedule` that needs no optimizer."""
    assert len(schedule.fingerprint) == 16
    assert Schedule(**schedule.model_dump()).fingerprint == schedule.fingerprint
    for role in ("default", *(rule.role for rule in schedule.groups)):
        if schedule.init_lr != "current":
            evaluate(schedule, labelled_steps(schedule.for_role(role), 20), role)
    schedule.summary()
    text = dump(schedule.to_dict(resolve=True), Path("whole.yaml"))
    assert Schedule(**parse_text(Path("whole.yaml"), text).data) == schedule


def load(path: Path) -> bool:
    """Load and use the schedule at `path`; return whether it is one."""
    with in_time():
        try:
            schedule = schedframe.load(path)
        except SchedframeError as error:
            return not str(error)
        use(schedule)
    return True


def test_the_corpus_is_not_small():
    assert len(good_files()) >= 5
    assert len(good_data()) >= 50


@pytest.mark.parametrize("path", good_files(), ids=str)
def test_a_good_file_works(path):
    assert load(path)


@pytest.mark.parametrize("part", range(4))
def test_changed_values(part, tmp_path):
    path, good = tmp_path / "run.json", 0
    for seed in examples(60):
        chance = random.Random(f"{part} {seed}")
        path.write_text(as_json(changed_data(chance.choice(good_data()), chance)))
        good += load(path)
    assert good


@pytest.mark.parametrize("suffix", ["yaml", "toml", "json"])
def test_changed_texts(suffix, tmp_path):
    path = tmp_path / f"run.{suffix}"
    files = [file.read_bytes() for file in good_files() if file.suffix == path.suffix]
    data = good_data()
    if suffix == "yaml":
        files += [text.encode() for text in good_texts()]
    for seed in examples(80):
        chance = random.Random(f"{suffix} {seed}")
        content = chance.choice(files) if files else as_json(chance.choice(data)).encode()
        path.write_bytes(changed_bytes(content, chance))
        load(path)


def test_a_text_that_is_designed_is_drawn_or_has_findings(tmp_path):
    file, drawn = DesignedFile(tmp_path / "run.json"), 0
    for seed in examples(60):
        chance = random.Random(f"designed {seed}")
        with in_time():
            checked = file.check(as_json(changed_data(chance.choice(good_data()), chance)), with_saved=False)
        assert json.dumps(checked, allow_nan=False)
        assert checked["page"] or checked["findings"] or checked["notes"]
        drawn += checked["page"] is not None
    assert drawn
