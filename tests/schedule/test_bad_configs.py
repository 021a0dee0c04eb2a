"""Files that are wrong in units, phases, warmup, weight decay or rules, and the exact error of each.

They stand in bad_configs.txt, each followed by what is said of it.
"""

import re
from pathlib import Path

import pytest

import schedframe
from schedframe import ConfigError

from .test_config_errors import LR_STYLES, WD_STYLES

TEXT = Path(__file__).with_name("bad_configs.txt").read_text()
BAD = {
    name: (config, says)
    for name, config, says in re.findall(r"=== (.*)\n((?s:.*?))--- says\n((?s:.*?))\n(?=\n=== |\Z)", TEXT)
}
WORDS = {
    "LR_STYLES": LR_STYLES,
    "WD_STYLES": WD_STYLES,
}


@pytest.mark.parametrize("name", BAD)
def test_is_one_error_with_a_readable_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    config, says = BAD[name]
    for word, meaning in WORDS.items():
        says = says.replace(f"{{{word}}}", meaning)
    monkeypatch.setenv("SCHEDFRAME_ALLOW", "")
    monkeypatch.chdir(tmp_path)
    Path("run.yaml").write_text(config)
    with pytest.raises(ConfigError) as caught:
        schedframe.load("run.yaml")
    assert str(caught.value) == says


def test_all_of_the_text_is_read_and_there_are_forty() -> None:
    assert len(BAD) == TEXT.count("=== ") >= 40
