"""What is no config, by its kind or its size, is refused at once, with its place."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import schedframe
from schedframe import ConfigError, PluginError, Schedule
from schedframe._files.config.parsed import DEEPEST, LONGEST_KEY, MOST_VALUES
from schedframe._plugins.imports import import_styles

GOOD = "max_lr: 1\nlr_decay_steps: 100\n"
MiB = 1 << 20


def refusal(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        schedframe.load(path)
    return str(caught.value).removeprefix(f"{path}: ")


@pytest.fixture
def written(tmp_path):
    def written(text: str, suffix: str = "yaml") -> Path:
        path = tmp_path / f"run.{suffix}"
        path.write_text(text)
        return path

    return written


@pytest.fixture(params=["fifo", "device", "folder"])
def no_file(request, tmp_path) -> Path:
    """What is no regular file, and would be waited for, or read for ever."""
    path = tmp_path / "run.py.yaml"
    if request.param == "fifo":
        os.mkfifo(path)
    elif request.param == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    return path


def test_a_config_is_a_regular_file(no_file):
    assert refusal(no_file).startswith("cannot be read: it is ")


def test_an_extended_config_is_a_regular_file(no_file, tmp_path):
    child = tmp_path / "child.yaml"
    child.write_text(f"extends: {no_file.name}\n")
    assert f"{no_file} cannot be read: it is " in refusal(child)


def test_what_is_imported_is_a_regular_file(no_file):
    named = str(no_file.rename(no_file.with_name("styles.py")))
    with pytest.raises(PluginError, match=r"which is a folder|it is not a regular file"):
        import_styles([named])


def test_the_variable_names_a_regular_file(no_file):
    named = str(no_file.rename(no_file.with_name("styles.py")))
    program = "import schedframe\ntry: list(schedframe.lr_styles)\nexcept schedframe.PluginError: print('refused')"
    settings = {**os.environ, "SCHEDFRAME_IMPORT": named}
    done = subprocess.run([sys.executable, "-c", program], env=settings, capture_output=True, text=True, timeout=60)
    assert done.stdout == "refused\n"


@pytest.mark.parametrize("suffix", ["yaml", "toml", "json"])
def test_a_config_has_a_mebibyte_at_most(written, suffix):
    assert refusal(written(" " * (MiB + 1), suffix)) == "cannot be read: it is larger than 1 MiB"


def test_a_config_may_have_a_mebibyte(written):
    assert schedframe.load(written(GOOD + "#" * (MiB - len(GOOD)))).max_lr == 1


def test_an_imported_file_has_16_mebibytes_at_most(tmp_path):
    path = tmp_path / "styles.py"
    path.write_bytes(b"#" * (16 * MiB + 1))
    with pytest.raises(PluginError, match="which cannot be read: it is larger than 16 MiB"):
        import_styles([str(path)])


LARGE = {
    "yaml": f"a: [{'1,' * MOST_VALUES}]",
    "toml": "".join(f"a{number} = 1\n" for number in range(MOST_VALUES)),
    "json": json.dumps({"a": [1] * MOST_VALUES}),
}


@pytest.mark.parametrize("suffix", LARGE)
def test_a_config_has_10000_values_at_most(written, suffix):
    assert refusal(written(LARGE[suffix], suffix)).endswith("holds more than 10000 values")


DEEP = {
    "a list in YAML": ("yaml", "a: " + "[" * 200_000),
    "a list in TOML": ("toml", "a = " + "[" * 200_000),
    "keys in TOML": ("toml", "a." * 200_000 + "b = 1"),
    "a header in TOML": ("toml", f"[{'a.' * 200_000}b]"),
    "quoted keys in TOML": ("toml", '"a".' * 100_000 + "b = 1"),
    "a list in JSON": ("json", "[" * 200_000),
    "a little too deep": ("json", '{"a":' * (DEEPEST + 1) + "1" + "}" * (DEEPEST + 1)),
}


@pytest.mark.parametrize("name", DEEP)
def test_a_config_has_50_levels_at_most(written, name):
    suffix, text = DEEP[name]
    assert refusal(written(text, suffix)).endswith("is nested too deeply, more than 50 levels")


KEY = "k" * (LONGEST_KEY + 1)


@pytest.mark.parametrize(
    ("suffix", "text"), [("yaml", f"{KEY}: 1"), ("toml", f"{KEY} = 1"), ("json", f'{{"{KEY}": 1}}')]
)
def test_a_key_has_200_characters_at_most(written, suffix, text):
    assert f"has a key of {len(KEY)} characters: 'kkk" in refusal(written(text, suffix))


DIGITS = "9" * 401
NUMBERS = {
    "YAML": ("yaml", f"{GOOD}min_lr: {DIGITS}"),
    "TOML": ("toml", f"max_lr = 1\nlr_decay_steps = 100\nmin_lr = {DIGITS}"),
    "TOML, hexadecimal": ("toml", f"max_lr = 1\nlr_decay_steps = 100\nmin_lr = 0x{'f' * 20_000}"),
    "JSON": ("json", f'{{"max_lr": 1, "lr_decay_steps": 100,\n\n"min_lr": {DIGITS * 50}}}'),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_has_400_digits_at_most(written, name):
    suffix, text = NUMBERS[name]
    assert refusal(written(text, suffix)) == "line 3, min_lr: is too large, a number of more than 400 digits"


def test_a_number_that_python_does_not_convert_has_its_line(written):
    text = f"max_lr = 1\n\nmin_lr = [{'9' * 20_000}]"
    assert refusal(written(text, "toml")) == "line 3: holds a number of more than 400 digits"


@pytest.mark.parametrize("text", ["9" * 20_000, "1" + " " * 20_000 + "iters x", "% " * 20_000 + "x"], ids=range(3))
@pytest.mark.parametrize("key", ["max_lr", "lr_warmup_steps", "min_lr", "global_batch_size", "train_samples"])
def test_a_text_is_bounded_before_it_is_matched(key, text):
    with pytest.raises(ConfigError, match=rf"{key} = '.*is a text of {len(text)} characters, which is not a number"):
        Schedule(**{"max_lr": 1, "lr_decay_steps": 100, key: text})


def test_another_version_of_yaml_is_refused_with_its_line(written):
    path = written(f"%YAML 1.1\n---\n{GOOD}")
    assert refusal(path) == "line 2: declares YAML 1.1, and a config is YAML 1.2: remove the line"


def test_a_directive_of_yaml_1_2_may_stand(written):
    assert schedframe.load(written(f"%YAML 1.2\n---\n{GOOD}")).max_lr == 1
