"""Reading config files: what is data, what is refused, and on which line."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import schedframe
from schedframe import ConfigError, Schedule
from schedframe._files.config.document import read

Write = Callable[..., Path]

YAML = """\
# größer, and a comment: with a colon
train_samples: 500M
max_lr: &peak 3e-4
min_lr: "10%"   # a tenth
init_lr: 0.0
lr_warmup_steps: 1_000_000
lr_decay_style: {style: WSD, wsd_decay_steps: 10%,
  lr_wsd_decay_style: minus_sqrt}
start_wd: 0x1
end_wd: 1
wd_incr_style:
  style: linear
"""
TOML = """\
# größer, and a comment = with an equals sign
train_samples = "500M"
max_lr = 3e-4
min_lr = "10%"   # a tenth
init_lr = 0.0
lr_warmup_steps = 1_000_000
lr_decay_style = {style = "WSD", wsd_decay_steps = "10%", lr_wsd_decay_style = "minus_sqrt"}
start_wd = 0x1
end_wd = 1

[wd_incr_style]
style = "linear"
"""
JSON = """\
{
  "train_samples": "500M",
  "max_lr": 3e-4,
  "min_lr": "10%",
  "init_lr": 0.0,
  "lr_warmup_steps": 1000000,
  "lr_decay_style": {"style": "WSD", "wsd_decay_steps": "10%",
    "lr_wsd_decay_style": "minus_sqrt"},
  "start_wd": 1,
  "end_wd": 1,
  "wd_incr_style": {
    "style": "linear"
  }
}
"""
TEXTS = {"yaml": YAML, "toml": TOML, "json": JSON}
GOOD = "max_lr: 1.0\nlr_decay_steps: 100\n"


@pytest.fixture(autouse=True)
def _built_ins_only(monkeypatch):
    monkeypatch.setenv("SCHEDFRAME_ALLOW", "")
    monkeypatch.delenv("SCHEDFRAME_BLOCK", raising=False)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file ``run.<suffix>``, and return its path."""

    def write(text: str | bytes, suffix: str = "yaml") -> Path:
        path = tmp_path / f"run.{suffix}"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def refused(write: Write) -> Callable[..., ConfigError]:
    """Load a text that must be refused; the path in the error's text becomes ``run.<suffix>``."""

    def refused(text: str | bytes, suffix: str = "yaml") -> ConfigError:
        path = write(text, suffix)
        with pytest.raises(ConfigError) as caught:
            schedframe.load(path)
        assert str(caught.value).startswith(str(path))
        return caught.value

    return refused


def said(error: ConfigError) -> str:
    """The text of `error` with the file's name instead of its path."""
    return str(error).replace(error.where, Path(error.where).name)


def is_schedule_or_config_error(path: Path) -> bool:
    try:
        return isinstance(schedframe.load(path), Schedule)
    except ConfigError as error:
        return bool(str(error) and error.problems)


# What the formats mean


def test_the_three_formats_say_the_same(write):
    schedules = [schedframe.load(write(text, suffix)) for suffix, text in TEXTS.items()]
    assert schedules[0] == schedules[1] == schedules[2]
    assert len(set(schedules)) == 1
    assert schedules[0].lr_decay_style.wsd_decay_steps == 50_000_000


@pytest.mark.parametrize("suffix", ["yml", "YAML", "Yml", "Json", "TOML"])
def test_the_suffix_may_have_any_case(write, suffix):
    text = {"y": YAML, "j": JSON, "t": TOML}[suffix[0].lower()]
    assert schedframe.load(write(text, suffix)).max_lr == 3e-4


def test_a_path_may_be_a_string(write):
    assert schedframe.load(str(write(YAML))) == schedframe.load(write(YAML))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("1E-4", 1e-4),
        (".5", 0.5),
        ("0o17", 15),
        ("017", 17),
        ("0x10", 16),
        ("1_000", 1000),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("1:30", "1:30"),
        ("2001-01-01", "2001-01-01"),
        ("true", True),
        ("True", True),
        ("~", None),
        ("null", None),
        ("", None),
        ("'1e-4'", "1e-4"),
        ("!!str 5", "5"),
        ("10%", "10%"),
        ("[1, a]", [1, "a"]),
        ("{b: 1}", {"b": 1}),
        ("|\n  x", "x\n"),
        ("0x", "0x"),
    ],
    ids=repr,
)
def test_yaml_is_yaml_1_2(write, text, value):
    read_value = read(write(f"key: {text}\n")).data["key"]
    assert read_value == value
    assert type(read_value) is type(value)


def test_a_yaml_1_1_document_is_read_or_refused_without_a_warning(write):
    assert is_schedule_or_config_error(write(f"%YAML 1.1\n---\nmin_lr: 1e-4\n{GOOD}"))


@pytest.mark.parametrize("header", ["%YAML 1.2\n---\n", "---\n", "\n\n", "# c\n---\n"])
def test_a_document_may_have_a_head(write, header):
    assert schedframe.load(write(header + GOOD)).max_lr == 1.0


def test_aliases_work(write):
    text = "max_lr: &x 1.0\ninit_lr: *x\nlr_decay_style: &s {style: cosine}\nwd_incr_style: *s\ntrain_samples: 9\n"
    schedule = schedframe.load(write(text))
    assert schedule.init_lr == 1.0
    assert schedule.wd_incr_style.style == "cosine"


def test_an_anchor_may_be_set_twice_as_yaml_allows(write):
    assert schedframe.load(write("max_lr: &x 1.0\nlr_decay_steps: &x 5\nwd_incr_steps: *x\n")).wd_incr_steps == 5


@pytest.mark.parametrize(("suffix", "text"), TEXTS.items(), ids=TEXTS)
@pytest.mark.parametrize("ending", ["\r\n", "\n"], ids=["crlf", "lf"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "bom"])
def test_line_ends_and_a_byte_order_mark_change_nothing(write, suffix, text, ending, mark):
    schedule = schedframe.load(write(mark + text.replace("\n", ending).encode(), suffix))
    assert schedule == schedframe.load(write(text, suffix))


def test_a_file_that_ends_without_a_newline_may_have_been_cut(write):
    assert read(write(GOOD)).ends_cleanly
    assert not read(write(GOOD.rstrip())).ends_cleanly


# Files that cannot be read at all


def test_a_missing_file_names_the_near_one(write):
    path = write(GOOD)
    with pytest.raises(ConfigError) as caught:
        schedframe.load(path.with_name("rnu.yaml"))
    assert str(caught.value) == f"{path.with_name('rnu.yaml')}: does not exist; did you mean 'run.yaml'?"


def test_a_missing_file_without_a_near_one(tmp_path):
    for path in (tmp_path / "run.yaml", tmp_path / "no" / "such" / "folder.yaml"):
        with pytest.raises(ConfigError) as caught:
            schedframe.load(path)
        assert str(caught.value) == f"{path}: does not exist"


def test_a_missing_file_in_a_folder_that_cannot_be_listed(tmp_path, monkeypatch):
    def denied(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", denied)
    with pytest.raises(ConfigError, match="does not exist"):
        schedframe.load(tmp_path / "run.yaml")


def test_a_file_that_may_not_be_read(write, monkeypatch):
    def denied(path, mode):
        raise PermissionError(13, "Permission denied")

    path = write(GOOD)
    monkeypatch.setattr("schedframe._reading.open", denied, raising=False)
    with pytest.raises(ConfigError) as caught:
        schedframe.load(path)
    assert str(caught.value) == f"{path}: cannot be read: Permission denied"


@pytest.mark.parametrize("name", ["run", "run.ini", "run.yaml.bak", "run.py", "run."])
def test_an_unknown_suffix_names_the_known_ones(tmp_path, name):
    path = tmp_path / name
    path.write_text(GOOD)
    with pytest.raises(ConfigError) as caught:
        schedframe.load(path)
    assert str(caught.value) == (f"{path}: has an unknown suffix {path.suffix!r}; use one of .yaml, .yml, .toml, .json")


def test_a_folder_is_no_file(tmp_path):
    path = tmp_path / "run.yaml"
    path.mkdir()
    with pytest.raises(ConfigError) as caught:
        schedframe.load(path)
    assert str(caught.value) == f"{path}: cannot be read: it is a folder"


def test_a_file_below_a_file(write):
    with pytest.raises(ConfigError, match="cannot be read: Not a directory"):
        schedframe.load(write(GOOD) / "x.yaml")


@pytest.mark.parametrize("path", ["a\0b.yaml", "x" * 5000 + ".yaml"], ids=["nul", "long"])
def test_a_path_that_no_file_can_have(path):
    with pytest.raises(ConfigError, match=r"does not exist|cannot be read"):
        schedframe.load(path)


@pytest.mark.parametrize("suffix", ["yaml", "toml", "json"])
@pytest.mark.parametrize("text", ["", " \n\n", "\ufeff"], ids=["nothing", "blank", "bom"])
def test_an_empty_file_says_what_is_needed(refused, suffix, text):
    assert said(refused(text, suffix)) == (
        f"run.{suffix}: is empty; a schedule needs at least max_lr and lr_decay_steps or train_samples"
    )


@pytest.mark.parametrize(
    ("text", "suffix"), [("# only a comment\n", "yaml"), ("---\n", "yaml"), ("~\n", "yaml"), ("null", "json")]
)
def test_a_file_that_says_nothing_is_empty_too(refused, text, suffix):
    assert "is empty" in said(refused(text, suffix))


def test_a_toml_file_with_only_a_comment_misses_its_keys(refused):
    assert [problem.path for problem in refused("# nothing\n", "toml").problems] == ["max_lr", "lr_decay_steps"]


@pytest.mark.parametrize("text", ["- max_lr: 1\n", "hello\n", "5\n", "true\n", "[]"])
@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_the_top_must_be_a_table(refused, text, suffix):
    text = text if suffix == "yaml" else {"- max_lr: 1\n": '[{"max_lr": 1}]', "hello\n": '"hello"'}.get(text, text)
    assert "must contain a table of keys and values at the top level" in said(refused(text, suffix))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"max_lr: 1 # \xff\n", "invalid start byte at byte 12"),
        (b"max_lr: \xc3", "unexpected end of data at byte 8"),
        ("max_lr: 1\n".encode("utf-16"), "invalid start byte at byte 0"),
    ],
    ids=["latin-1", "cut", "utf-16"],
)
@pytest.mark.parametrize("suffix", ["yaml", "toml", "json"])
def test_what_is_no_utf_8_is_refused(refused, suffix, data, reason):
    assert said(refused(data, suffix)) == f"run.{suffix}: is not UTF-8 text: {reason}"


# Broken syntax


@pytest.mark.no_cover
@pytest.mark.parametrize("suffix", TEXTS)
def test_a_file_cut_anywhere_is_a_schedule_or_a_config_error(write, suffix):
    data = TEXTS[suffix].encode()
    for end in range(len(data)):
        assert is_schedule_or_config_error(write(data[:end], suffix)), data[:end]


@pytest.mark.parametrize("suffix", TEXTS)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_file_is_a_schedule_or_a_config_error(tmp_path_factory, suffix, data):
    text = TEXTS[suffix]
    at = data.draw(st.integers(0, len(text)))
    drop = data.draw(st.integers(0, 8))
    insert = data.draw(st.text("{}[]:,\"'#&*!|>%@`-+_.eExoNn0123 \n\t\\=<?~\0\x07ü", max_size=5))
    path = tmp_path_factory.getbasetemp() / f"damaged.{suffix}"
    path.write_text(text[:at] + insert + text[at + drop :], encoding="utf-8")
    assert is_schedule_or_config_error(path)


@given(text=st.text("0123456789abefoxn_.-+eE~!&*[]{}:,'\"%@<>|#? =", max_size=8))
@settings(max_examples=500, deadline=None)
@example(text="!!int abc")
@example(text="!!float x")
@example(text="!!bool maybe")
@example(text="-_")
@example(text="0x_")
@example(text="._")
@example(text="*a")
@example(text="&a *a")
@example(text="!<x> 5")
def test_any_yaml_value_is_a_schedule_or_a_config_error(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "value.yaml"
    path.write_text(f"lr_decay_steps: 100\nmax_lr: {text}\n")
    assert is_schedule_or_config_error(path)


@pytest.mark.parametrize("text", ["!!int abc", "!!float x", "!!bool maybe", "!!int ''"])
def test_a_tag_that_does_not_fit_its_value_is_a_problem_of_its_key(refused, text):
    (problem,) = refused(f"lr_decay_steps: 9\nmax_lr: {text}\n").problems
    assert (problem.path, problem.line) == ("max_lr", 2)


@pytest.mark.parametrize("suffix", TEXTS)
def test_a_number_of_5000_digits_is_refused(refused, suffix):
    digits = "1" * 5000
    text = {"yaml": f"max_lr: {digits}\n", "toml": f"max_lr = {digits}\n", "json": f'{{"max_lr": {digits}}}'}[suffix]
    assert "too large" in said(refused(text, suffix)) or "digits" in said(refused(text, suffix))


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("max_lr: 1\nmin_lr: [1\n", 3, "is not complete YAML: expected ',' or ']', but got '<stream end>'"),
        ("max_lr: 1\n  min_lr: 2\n", 2, "is not complete YAML: mapping values are not allowed here"),
        ("max_lr: 1\nmin_lr: *peak\n", 2, "is not complete YAML: found undefined alias 'peak'"),
        ("max_lr: 'x\n", 2, "is not complete YAML: found unexpected end of stream"),
        ("max_lr: 1\n\tmin_lr: 2\n", 2, "is not complete YAML: found character '\\t' that cannot start any token"),
    ],
    ids=["list", "indent", "alias", "quote", "tab"],
)
def test_broken_yaml_says_where_and_why(refused, text, line, reason):
    assert said(refused(text)) == f"run.yaml: line {line}: {reason}"


def test_a_second_document_is_refused_in_a_sentence(refused):
    text = said(refused(f"{GOOD}---\n{GOOD}"))
    assert "line 3" in text
    assert "document" in text
    assert "but found" not in text


def test_a_control_character_is_refused(refused):
    assert "is not complete YAML: unacceptable character #x0000" in said(refused("max_lr: 1\0\n"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("max_lr = 1\nmin_lr = \n", "line 2, column"),
        ("max_lr = 1\nmax_lr = 2\n", "line 2, column"),
        ("max_lr: 1\n", "line 1, column"),
        ("[lr_decay_style\n", "line 1, column"),
    ],
    ids=["no-value", "twice", "yaml", "open-table"],
)
def test_broken_toml_says_where(refused, text, says):
    error = refused(text, "toml")
    assert "run.toml: " in said(error)
    assert "is not complete TOML: " in said(error)
    assert says in said(error)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"max_lr": 1,\n}', "line 1: is not complete JSON: Illegal trailing comma before end of object at column 13"),
        ('{"max_lr": 1,\n "min_lr": }', "line 2: is not complete JSON: Expecting value at column 12"),
        ('{"max_lr": 1', "line 1: is not complete JSON: Expecting ',' delimiter at column 13"),
        ("max_lr: 1", "line 1: is not complete JSON: Expecting value at column 1"),
    ],
    ids=["comma", "no-value", "cut", "yaml"],
)
def test_broken_json_says_where_and_why(refused, text, says):
    if "trailing" in says and sys.version_info < (3, 13):
        says = "line 2: is not complete JSON: Expecting property name enclosed in double quotes at column 1"
    assert said(refused(text, "json")) == f"run.json: {says}"


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_json_numbers_that_are_none_are_refused(refused, word):
    error = refused(f'{{"lr_decay_steps": 9,\n"max_lr": {word}}}', "json")
    assert said(error).startswith("run.json: line 2, max_lr = ")
    assert said(error).endswith(": is not a finite number")


def test_a_toml_date_is_no_number(refused):
    assert "line 2, max_lr = " in said(refused("lr_decay_steps = 9\nmax_lr = 1979-05-27\n", "toml"))


# Keys


def test_a_duplicate_key_names_both_lines(refused):
    error = refused("max_lr: 1\nlr_decay_steps: 5\nmax_lr: 2\n")
    assert said(error) == "run.yaml: line 3, max_lr: is given twice, first on line 1; keep one"


def test_every_duplicate_is_named_nested_ones_by_their_path(refused):
    error = refused(f"{GOOD}lr_decay_style:\n  style: cosine\n  style: linear\nmax_lr: 5\nmax_lr: 6\n")
    assert said(error) == (
        "run.yaml has 3 problems:\n"
        "  line 5, lr_decay_style.style: is given twice, first on line 4; keep one\n"
        "  line 6, max_lr: is given twice, first on line 1; keep one\n"
        "  line 7, max_lr: is given twice, first on line 1; keep one"
    )


def test_duplicates_and_wrong_values_are_reported_together(refused):
    error = refused("max_lr: x\nlr_decay_steps: 5\nmax_lr: 2\n")
    assert [(problem.line, problem.path) for problem in error.problems] == [(1, "max_lr"), (3, "max_lr")]


def test_a_duplicate_key_in_json_is_refused(refused):
    error = refused('{"max_lr": 1,\n"lr_decay_steps": 9,\n"max_lr": 2}', "json")
    (problem,) = error.problems
    assert problem.path == "max_lr"
    assert problem.line in (1, 3)
    assert "is given twice" in problem.message


def test_a_nested_duplicate_in_json_is_refused(refused):
    text = '{"max_lr": 1, "lr_decay_steps": 9,\n"lr_decay_style": {"style": "linear",\n"style": "cosine"}}'
    (problem,) = refused(text, "json").problems
    assert problem.path.endswith("style")
    assert problem.line in (2, 3)


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system", "!!python/name:os.system", "!include", "!ENV"])
def test_a_tag_is_one_problem_and_nothing_is_executed(refused, tmp_path, tag):
    error = refused(f"{GOOD}min_lr: {tag} ['touch {tmp_path / 'executed'}']\n")
    assert not (tmp_path / "executed").exists()
    (problem,) = error.problems
    assert (problem.path, problem.line) == ("min_lr", 3)
    assert tag.lstrip("!") in problem.message
    assert "a config is plain data, without tags" in problem.message


@pytest.mark.parametrize("value", ["!!binary aGk=", "!!set {a}", "!!omap [a: 1]", "!!pairs [a: 1]"])
def test_types_beyond_plain_data_are_refused(refused, value):
    assert "a config is plain data, without tags" in said(refused(f"{GOOD}min_lr: {value}\n"))


def test_a_tag_on_the_whole_document_is_refused(refused):
    assert "without tags" in said(refused("!!python/object:os.system\nmax_lr: 1\n"))


@pytest.mark.parametrize("place", ["{merge}{good}", "{good}lr_decay_style:\n  {merge}  style: linear\n"])
def test_a_merge_key_is_refused_in_a_sentence(refused, place):
    text = place.format(merge="<<: {min_lr: 0}\n", good=GOOD)
    assert "merge" in said(refused(text))
    assert "'<<'" in said(refused(text))


@pytest.mark.parametrize("key", ["5", "1.5", "true", "null", "~", "[1, 2]", "{a: b}", "? [1]\n"])
def test_a_key_that_is_no_word_is_refused_as_it_was_written(refused, key):
    error = refused(f"{GOOD}{key}: 3\n")
    (problem,) = error.problems
    assert problem.line == 3
    assert "has a key that is not a string" in problem.message
    assert "Node(" not in problem.message


def test_an_empty_key_is_named(refused):
    error = refused(f"{GOOD}'': 3\n")
    assert "line 3" in said(error)
    assert "''" in said(error) or '""' in said(error)


@pytest.mark.parametrize("key", ["_document", "model_config", "self", "keys", "__class__", "lr_style", "build"])
def test_a_name_of_the_class_is_no_key(refused, key):
    (problem,) = refused(f"{GOOD}{key}: 3\n").problems
    assert (problem.path, problem.line) == (key, 3)
    assert problem.message.startswith("is not a key of a schedule")


def test_a_dotted_key_has_its_line(refused):
    (problem,) = refused(f"{GOOD}lr_decay_style.style: cosine\n").problems
    assert problem.line == 3


# Depth and size


def nested(suffix: str, place: str, depth: int) -> str:
    deep = "[" * depth + "]" * depth
    if suffix == "json":
        options = f'{{"style": "multi-step", "milestones": {deep}, "multipliers": [1]}}'
        value = deep if place == "number" else options
        return f'{{"max_lr": 1, "lr_decay_steps": 9, "{KEY[place]}": {value}}}'
    is_sign = ":" if suffix == "yaml" else "="
    word = "multi-step" if suffix == "yaml" else '"multi-step"'
    options = f"{{style{is_sign} {word}, milestones{is_sign} {deep}, multipliers{is_sign} [1]}}"
    value = deep if place == "number" else options
    return f"max_lr{is_sign} 1\nlr_decay_steps{is_sign} 9\n{KEY[place]}{is_sign} {value}\n"


KEY = {"number": "min_lr", "option": "lr_decay_style"}


@pytest.mark.no_cover
@pytest.mark.parametrize("place", KEY)
@pytest.mark.parametrize("depth", [50, 300, 900, 960, 980, 10_000])
@pytest.mark.parametrize("suffix", TEXTS)
def test_deep_nesting_is_refused_and_never_exhausts_the_stack(refused, suffix, depth, place):
    text = said(refused(nested(suffix, place, depth), suffix))
    assert "is nested too deeply" in text or KEY[place] in text


@pytest.mark.parametrize("depth", [2, 100, 400, 10_000])
def test_styles_within_styles_never_exhaust_the_stack(refused, depth):
    table = "{style: WSD, wsd_decay_steps: 1, lr_wsd_decay_style: " * depth + "linear" + "}" * depth
    assert refused(f"{GOOD}lr_decay_style: {table}\n").problems


@pytest.mark.parametrize(
    "value",
    [
        "lr_decay_style: &a {style: WSD, wsd_decay_steps: 5, lr_wsd_decay_style: *a}",
        "lr_decay_style: {style: multi-step, milestones: &m [*m], multipliers: [1]}",
        "min_lr: &m [*m]",
        "min_lr: &m {a: *m}",
        "lr_decay_style: &m {style: *m}",
        "surplus: &m {a: [*m, *m]}",
    ],
    ids=["tail", "option", "list", "table", "name", "surplus"],
)
def test_an_alias_of_itself_is_refused(refused, value):
    assert refused(f"{GOOD}{value}\n").problems[0].line == 3


def test_aliases_that_multiply_do_not_fill_the_memory(tmp_path):
    pytest.importorskip("resource")
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 10)]
    path = tmp_path / "run.yaml"
    path.write_text("\n".join([*lines, "max_lr: *a9", "lr_decay_steps: 9\n"]))
    script = f"""
import resource, schedframe
schedframe.Schedule, schedframe.load
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
try:
    schedframe.load({str(path)!r})
except schedframe.ConfigError as error:
    print(len(str(error)) < 10_000)
"""
    root = str(Path(schedframe.__file__).parents[1])
    env = dict(os.environ, PYTHONPATH=root)
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=120)
    assert done.stdout == "True\n", done.stderr[-500:]


# Lines of problems


@pytest.mark.parametrize(
    ("suffix", "text", "lines"),
    [
        ("yaml", "max_lr: x\n\n# c\nmin_lr: y\nlr_decay_steps: 9\n", {"max_lr": 1, "min_lr": 4}),
        (
            "yaml",
            f"{GOOD}lr_decay_style:\n  style: polynomial\n  # c\n  power: -1\n",
            {"lr_decay_style.power": 6},
        ),
        ("yaml", f"{GOOD}lr_decay_style: {{style: polynomial,\n power: -1}}\n", {"lr_decay_style.power": 4}),
        (
            "yaml",
            f"{GOOD}lr_decay_style:\n  style: multi-step\n  milestones:\n  - 0.5\n  - x\n  multipliers: [1, 1]\n",
            {"lr_decay_style.milestones.1": 7},
        ),
        ("yaml", f"{GOOD}'min_lr': x\n", {"min_lr": 3}),
        ("yaml", "max_lr: 1\r\nlr_decay_steps: 9\r\nmin_lr: x\r\n", {"min_lr": 3}),
        (
            "yaml",
            f"{GOOD}lr_decay_style: {{style: WSD, wsd_decay_steps: x}}\nwsd_decay_steps: 5\n",
            {"lr_decay_style.wsd_decay_steps": 3, "wsd_decay_steps": 4},
        ),
        ("toml", 'max_lr = "x"\n\n# max_lr = 5\nmin_lr = "y"\nlr_decay_steps = 9\n', {"max_lr": 1, "min_lr": 4}),
        ("toml", 'lr_decay_steps = 9\n# max_lr = 5\n"max_lr" = "x"\n', {"max_lr": 3}),
        (
            "toml",
            'max_lr = 1\nlr_decay_steps = 9\n\n[lr_decay_style]\nstyle = "polynomial"\npower = -1\n',
            {"lr_decay_style.power": 6},
        ),
        (
            "toml",
            'max_lr = 1\nlr_decay_steps = 9\nlr_decay_style = {style = "polynomial", power = -1}\n',
            {"lr_decay_style.power": 3},
        ),
        (
            "toml",
            'max_lr = 1\nlr_decay_steps = 9\nlr_decay_style.style = "polynomial"\nlr_decay_style.power = -1\n',
            {"lr_decay_style.power": 4},
        ),
        (
            "toml",
            'max_lr = 1\nlr_decay_steps = 9\nlr_decay_style = {style = "WSD", wsd_decay_steps = 5}\n'
            "wsd_decay_steps = 5\n",
            {"wsd_decay_steps": 4},
        ),
        (
            "toml",
            'max_lr = 1\nlr_decay_steps = 9\ninit_lr = """\nmin_lr = 5"""\nmin_lr = "x"\n',
            {"init_lr": 3, "min_lr": 5},
        ),
        (
            "toml",
            'max_lr = 1\nlr_decay_steps = 9\n[wd_incr_style]\nstyle = "linear"\npower = 1\n'
            '[lr_decay_style]\nstyle = "polynomial"\npower = -1\n',
            {"wd_incr_style.power": 5, "lr_decay_style.power": 8},
        ),
        ("json", '{"max_lr": "x",\n\n"min_lr": "y",\n"lr_decay_steps": 9}', {"max_lr": 1, "min_lr": 3}),
        (
            "json",
            '{"max_lr": 1, "lr_decay_steps": 9,\n"lr_decay_style": {"style": "polynomial",\n"power" : -1}}',
            {"lr_decay_style.power": 3},
        ),
        (
            "json",
            '{"max_lr": 1, "lr_decay_steps": 9,\n"lr_decay_style": {"style": "cosine",\n"power": 1},\n"power": 2}',
            {"lr_decay_style.power": 3, "power": 4},
        ),
        (
            "json",
            '{"max_lr": 1, "lr_decay_steps": 9,\n"lr_decay_style": {"style": "WSD"},\n"wsd_decay_steps": 5}',
            {"lr_decay_style.wsd_decay_steps": 2, "wsd_decay_steps": 3},
        ),
        (
            "json",
            '{"lr_decay_steps": 9, "lr_decay_style": "\\"max_lr\\": 5",\n"max_lr": "x"}',
            {"lr_decay_style": 1, "max_lr": 2},
        ),
        ("json", '{"lr_decay_steps": 9,\n"max\\u005flr": "x"}', {"max_lr": 2}),
    ],
    ids=[
        *("yaml-top", "yaml-nested", "yaml-flow", "yaml-list", "yaml-quoted", "yaml-crlf", "yaml-same-name"),
        *("toml-top", "toml-quoted", "toml-table", "toml-inline", "toml-dotted", "toml-same-name", "toml-text"),
        *("toml-two-tables", "json-top", "json-nested", "json-same-name", "json-missing-nested", "json-text"),
        "json-escaped",
    ],
)
def test_each_problem_has_the_line_of_its_key(refused, suffix, text, lines):
    assert {problem.path: problem.line for problem in refused(text, suffix).problems} == lines
