"""The JSON Schema of a config, with a real validator on real files."""

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

import schedframe
from schedframe._schedule.keys import Keys
from schedframe._tools.schema import schema
from schedframe._units.lengths import JSON_LENGTH, absolute, parse_measure
from schedframe._units.numbers import parse_number, parse_rate

jsonschema = pytest.importorskip("jsonschema")

ROOT = Path(__file__).parents[2]
BUILT_IN_ALONE = [
    page
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if page.name != "first-style.md"  # its own style is installed on the way
]
GOOD = [
    pytest.param(text, id=f"{page.stem}-{name}")
    for page in BUILT_IN_ALONE
    for name, text in re.findall(r"<!-- file: (\S+\.yaml) -->\n```yaml\n(.*?)```", page.read_text(), re.DOTALL)
    if name != "wrong.yaml"
]
EXAMPLES = [*sorted(ROOT.glob("plugins/*/example.yaml")), ROOT / "docs" / "examples" / "train_gpt" / "schedule.yaml"]
HEAD = "max_lr: 1\ntrain_samples: 100\n"
BAD = {
    "a key misspelt": "lr_warmup_step: 10\n",
    "a style misspelt": "lr_decay_style: cosin\n",
    "a style misspelt in a table": "lr_decay_style: {style: polynomal, power: 2}\n",
    "a table without style": "lr_decay_style: {power: 2}\n",
    "an option misspelt": "lr_decay_style: {style: polynomial, pwoer: 2}\n",
    "an option out of range": "lr_decay_style: {style: polynomial, power: -1}\n",
    "an option that is needed": "lr_decay_style: {style: WSD}\n",
    "a cooldown of no length": "lr_decay_style: WSD\n",
    "a cooldown that is misspelt": "lr_decay_style: WSD\nwsd_decay_steps: 1\nlr_wsd_decay_style: cosin\n",
    "a cooldown whose length is none": "lr_decay_style: WSD\nwsd_decay_steps: soon\n",
    "a cooldown of a style that has none": "lr_decay_style: cosine\nwsd_decay_steps: 10\n",
    "a cooldown said twice": "lr_decay_style: {style: WSD, wsd_decay_steps: 10}\nwsd_decay_steps: 10\n",
    "a style that needs options by its bare name": "lr_decay_style: phases\n",
    "a style of the other kind": "lr_decay_style: adamc\n",
    "a cooldown that is no curve": ("lr_decay_style: {style: WSD, wsd_decay_steps: 1, lr_wsd_decay_style: constant}\n"),
    "a phase's key misspelt": "lr_decay_style: {style: phases, phases: [{style: linear, lenght: 1}]}\n",
    "a phase's target that is none": "lr_decay_style: {style: phases, phases: [{style: linear, to: flor}]}\n",
    "a style misspelt deep inside": (
        "lr_decay_style: {style: phases, phases: [{style: {style: phases, phases: [{style: liner}]}}]}\n"
    ),
    "a base misspelt": "start_wd: 0\nend_wd: 1\nwd_incr_style: {style: adamc, base: linaer}\n",
    "a rule without match": "groups: [{role: a, lr_mult: 1}]\n",
    "a rule's factor that is none": "groups: [{role: a, match: {index: 0}, lr_mult: half}]\n",
    "a rule's style misspelt": "groups: [{role: a, match: {index: 0}, lr_decay_style: cosin}]\n",
    "a match of two kinds": "groups: [{role: a, match: {index: 0, param: x}, lr_mult: 1}]\n",
    "a warmup misspelt": "lr_warmup_style: torchtian\n",
    "a warmup's option misspelt": "lr_warmup_style: {style: linear, shfit: 1}\n",
    "a ramp of two": "rampup_batch_size: [1, 2]\n",
    "a clock that is none": "clock: steps\n",
    "a policy that is none": "resume: yes please\n",
    "a word for a switch": "decrease_batch_size_if_needed: maybe\n",
    "a length that is a word": "lr_warmup_steps: soon\n",
    "a length in no unit": "lr_warmup_steps: 10 parsecs\n",
    "a length below 0": "lr_warmup_steps: -5\n",
    "a rate that is a word": "min_lr: low\n",
    "a rate below 0": "min_lr: -1\n",
}


@pytest.fixture(scope="module")
def validator() -> Any:
    made, faults = schema(builtin=True)
    assert faults == []
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(json.loads(json.dumps(made)))


def parsed(text: str) -> Any:
    return YAML(typ="safe").load(text)


@pytest.mark.parametrize("text", GOOD)
def test_every_file_of_the_documentation_is_good(validator: Any, text: str) -> None:
    assert [error.message for error in validator.iter_errors(parsed(text))] == []


@pytest.mark.parametrize("key", Keys.model_fields)
def test_every_example_of_the_reference_is_good(validator: Any, key: str) -> None:
    spec = importlib.util.spec_from_file_location("make_reference", ROOT / "docs" / "make_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert [error.message for error in validator.iter_errors(parsed(module.examples()[key]))] == []


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.parent.name)
def test_every_example_of_a_plugin_is_good_where_it_is_installed(file: Path) -> None:
    config = parsed(file.read_text())
    try:
        schedframe.load(file)
    except schedframe.ConfigError as error:
        pytest.skip(f"needs the plugin: {error}")
    made, _ = schema()
    assert [error.message for error in jsonschema.Draft202012Validator(made).iter_errors(config)] == []


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_reported_and_is_wrong(validator: Any, name: str) -> None:
    assert validator.is_valid(parsed(HEAD))
    config = parsed(HEAD + BAD[name])
    assert list(validator.iter_errors(config))
    with pytest.raises(schedframe.ConfigError):
        schedframe.Schedule(**config)


EXTENDING = {
    "nothing else": "",
    "another value": "max_lr: 2\n",
    "the options of the inherited style": "wsd_decay_steps: 20\n",
    "keys that are taken away": "lr_warmup_steps: null\ngroups: null\nlr_wsd_decay_style: null\nstart_wd: null\n",
    "another style": "lr_decay_style: {style: cosine}\nwsd_decay_steps: null\nlr_wsd_decay_style: null\n",
}
BASE = (
    "max_lr: 1\ntrain_samples: 100\nlr_warmup_steps: 5\nstart_wd: 0.1\nend_wd: 0.1\n"
    "groups: [{role: a, match: {index: 0}, lr_mult: 2}]\n"
    "lr_decay_style: WSD\nwsd_decay_steps: 10\nlr_wsd_decay_style: cosine\n"
)
BAD_EXTENDING = {
    "a path that is a number": "extends: 3\n",
    "a path that is a list": "extends: [base.yaml]\n",
    "a key misspelt": "extends: base.yaml\nmax_lrr: 1\n",
    "a style misspelt": "extends: base.yaml\nlr_decay_style: cosin\n",
    "an option misspelt": "extends: base.yaml\nlr_decay_style: {style: polynomial, pwoer: 2}\n",
    "a rate that is a word": "extends: base.yaml\nmax_lr: fast\n",
    "a clock that is none": "extends: base.yaml\nclock: steps\n",
    "null for a key of a rule": "extends: base.yaml\ngroups: [{role: a, match: {index: 0}, max_lr: null}]\n",
    "null for an option": "extends: base.yaml\nlr_decay_style: {style: polynomial, power: null}\n",
}


@pytest.mark.parametrize("name", EXTENDING)
def test_a_file_that_extends_another_may_leave_keys_out_or_take_them_away(
    validator: Any, name: str, tmp_path: Path
) -> None:
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "run.yaml").write_text(f"extends: base.yaml\n{EXTENDING[name]}")
    assert schedframe.load(tmp_path / "run.yaml").max_lr > 0
    assert validator.is_valid(parsed(f"extends: base.yaml\n{EXTENDING[name]}"))


@pytest.mark.parametrize("name", BAD_EXTENDING)
def test_what_is_wrong_in_a_file_that_extends_another_is_reported(validator: Any, name: str, tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "run.yaml").write_text(BAD_EXTENDING[name])
    with pytest.raises(schedframe.ConfigError):
        schedframe.load(tmp_path / "run.yaml")
    assert not validator.is_valid(parsed(BAD_EXTENDING[name]))


@pytest.mark.parametrize("key", Keys.model_fields)
def test_null_needs_a_file_that_is_extended(validator: Any, key: str) -> None:
    own = parsed(HEAD) | {key: None}
    assert validator.is_valid({"extends": "base.yaml", key: None})
    assert validator.is_valid(own) == (Keys.model_fields[key].default is None)


@pytest.mark.parametrize("text", ["train_samples: 1\n", "max_lr: 1\n"])
def test_what_is_missing_is_reported(validator: Any, text: str) -> None:
    (error,) = validator.iter_errors(parsed(text))
    assert error.validator in ("required", "anyOf")


def leaves(error: Any) -> Iterator[Any]:
    yield error
    for inner in error.context:
        yield from leaves(inner)


def test_a_table_is_held_to_its_own_style_alone(validator: Any) -> None:
    """An editor shows the best of the errors: it is about what was written, and not about another style."""

    def told(style: dict[str, Any]) -> dict[str, str]:
        errors = validator.iter_errors({"max_lr": 1, "train_samples": 100, "lr_decay_style": style})
        found = {".".join(map(str, leaf.absolute_path)): leaf.message for error in errors for leaf in leaves(error)}
        return {path: message for path, message in found.items() if path != "lr_decay_style"}

    ((path, message),) = told({"style": "polynomial", "power": -1}).items()
    assert path == "lr_decay_style.power"
    assert "-1 is less than or equal to the minimum of 0" in message
    (misspelt,) = told({"style": "polynomal", "power": -1}).items()
    assert misspelt[0] == "lr_decay_style.style"
    assert {"'polynomial'", "'phases'", "'wsd'"} <= set(re.findall(r"'[^']*'", misspelt[1]))


TEXTS = [
    *(
        "10",
        "1e3",
        "1E+3",
        ".5",
        "5.",
        "1_000",
        "1__0",
        "_1",
        "1,000",
        "1 000",
        "1.5.2",
        "0x10",
        "nan",
        "inf",
        "1e",
        "",
    ),
    *("+5", "-5", "5%", "5 %", "%", "-5%", "5% of run", "5% of  decay", "5% OF RUN", "5%of run", "5% of", "5% of it"),
    *(
        "10 iters",
        "10 iter",
        "10iterations",
        "10 ITERS",
        "10 iterss",
        "1K",
        "1 k",
        "1k samples",
        "2B tokens",
        "2 epochs",
    ),
    *(
        "500X",
        "10 parsecs",
        "iters",
        "K",
        "open",
        " open",
        "Open",
        "current",
        "floor",
        "min_lr",
        "end_wd",
        "soon",
        " 10 ",
        "10\n",
    ),
]


PARSED = {
    "max_lr": parse_number,
    "min_lr": lambda text: parse_rate(text, 1.0),
    "init_lr": lambda text: text == "current" or parse_rate(text, 1.0),
    "start_step": absolute,
    "train_samples": absolute,
    "lr_decay_steps": lambda text: text == "open" or parse_measure(text).unit != "%",
    "lr_warmup_steps": parse_measure,
    "wd_incr_steps": lambda text: text == "open" or parse_measure(text),
}


@pytest.mark.parametrize("key", PARSED)
def test_the_schema_admits_the_texts_that_are_read_and_no_others(validator: Any, key: str) -> None:
    own = validator.evolve(schema=validator.schema["properties"][key])

    def is_read(text: str) -> bool:
        try:
            return PARSED[key](text) is not False and "-" not in text
        except ValueError:
            return False

    assert [text for text in TEXTS if own.is_valid(text)] == [text for text in TEXTS if is_read(text)]


@given(st.from_regex(JSON_LENGTH["pattern"]))
def test_every_text_that_the_schema_admits_as_a_length_is_one(text: str) -> None:
    try:
        amount = parse_measure(text).amount
    except ValueError as error:
        assume(str(error) != "is too large" and "T is trillions" not in str(error))
        raise
    assert amount >= 0
