"""The JSON Schema of a config, with a real validator on real files."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import schedframe
from schedframe._schema import schema

jsonschema = pytest.importorskip("jsonschema")

ROOT = Path(__file__).parents[1]
GOOD = [
    pytest.param(text, id=f"{page.stem}-{name}")
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    for name, text in re.findall(r"<!-- file: (\S+\.yaml) -->\n```yaml\n(.*?)```", page.read_text(), re.DOTALL)
    if name != "wrong.yaml"
]
BAD = {
    "a key misspelt": "max_lr: 1\nlr_warmup_step: 10\n",
    "a style misspelt": "max_lr: 1\nlr_decay_style: cosin\n",
    "an option misspelt": "max_lr: 1\nlr_decay_style: {style: polynomial, pwoer: 2}\n",
    "an option out of range": "max_lr: 1\nlr_decay_style: {style: polynomial, power: -1}\n",
    "an option that is needed": "max_lr: 1\nlr_decay_style: {style: WSD}\n",
    "a style that needs options by its bare name": "max_lr: 1\nlr_decay_style: phases\n",
    "a style of the other kind": "max_lr: 1\nlr_decay_style: adamc\n",
    "a tail that is no curve": (
        "max_lr: 1\nlr_decay_style: {style: WSD, wsd_decay_steps: 1, lr_wsd_decay_style: constant}\n"
    ),
    "a phase's key misspelt": "max_lr: 1\nlr_decay_style: {style: phases, phases: [{style: linear, lenght: 1}]}\n",
    "a style misspelt deep inside": (
        "max_lr: 1\nlr_decay_style: {style: phases, phases: [{style: {style: phases, phases: [{style: liner}]}}]}\n"
    ),
    "a base misspelt": "max_lr: 1\nwd_incr_style: {style: adamc, base: linaer}\n",
    "a rule without match": "max_lr: 1\ngroups: [{role: a, lr_mult: 1}]\n",
    "a rule's style misspelt": "max_lr: 1\ngroups: [{role: a, match: {index: 0}, lr_decay_style: cosin}]\n",
    "a match of two kinds": "max_lr: 1\ngroups: [{role: a, match: {index: 0, param: x}, lr_mult: 1}]\n",
    "a warm-up misspelt": "max_lr: 1\nlr_warmup_style: torchtian\n",
    "a warm-up's option misspelt": "max_lr: 1\nlr_warmup_style: {style: linear, shfit: 1}\n",
    "a ramp of two": "max_lr: 1\nrampup_batch_size: [1, 2]\n",
    "a clock that is none": "max_lr: 1\nclock: steps\n",
    "a policy that is none": "max_lr: 1\nresume: yes please\n",
    "no peak": "train_samples: 1\n",
    "a word for a switch": "max_lr: 1\ndecrease_batch_size_if_needed: maybe\n",
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


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_told(validator: Any, name: str) -> None:
    assert list(validator.iter_errors(parsed(BAD[name])))


def test_every_built_in_style_is_there_with_every_option(validator: Any) -> None:
    definitions = validator.schema["$defs"]
    for registry in (schedframe.lr_styles, schedframe.wd_styles):
        for name in registry.builtins:
            own = definitions[f"{registry.kind} {name}"]
            assert set(own["properties"]) == set(registry[name].model_fields)
            assert own["additionalProperties"] is False


def test_an_installed_style_is_there_and_a_broken_one_is_told(install: Callable[..., Path]) -> None:
    module = (
        "from typing import Literal\nfrom pydantic import Field\nfrom schedframe.styles import LRCurve\n\n\n"
        "class Bend(LRCurve):\n    style: Literal['bend'] = 'bend'\n"
        "    by: float = Field(0.5, gt=0, description='How.')\n\n"
        "    def coefficient(self, progress):\n        return 1.0 - progress\n"
    )
    install("schedframe-bend", module, lr_styles={"bend": "schedframe_bend_mod:Bend"})
    install("schedframe-bad", "raise RuntimeError('no')", lr_styles={"bad": "schedframe_bad_mod:Bad"}, path="other")
    made, faults = schema()
    assert made["$defs"]["LR bend"]["properties"]["by"]["exclusiveMinimum"] == 0
    assert any("'bad' from schedframe-bad 1.0" in fault for fault in faults)
    own = jsonschema.Draft202012Validator(made)
    assert own.is_valid({"max_lr": 1, "lr_decay_style": {"style": "bend", "by": 2}})
    assert not own.is_valid({"max_lr": 1, "lr_decay_style": {"style": "bend", "by": -2}})
    assert own.is_valid({"max_lr": 1, "start_wd": 0, "end_wd": 1, "wd_incr_style": "bend"})
    builtin, _ = schema(builtin=True)
    assert "LR bend" not in builtin["$defs"]
