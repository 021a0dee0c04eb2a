"""One config file derived from another: what is said, what stays as it was, and that no comment is lost."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from schedframe import ConfigError, SchedframeError
from schedframe._files.config.document import from_text, read
from schedframe._files.rewrite import yaml as _yaml_writer
from schedframe._files.rewrite.rewrite import REMOVED, rewritten

SETTINGS = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))


def changed(text, changes, suffix=".yaml", heading=()):
    return rewritten(from_text(Path(f"run{suffix}"), text), changes, heading=heading, suffix=suffix)


# Any config, any change


LETTERS = "ab #:{}[],'\"&*!|>%@`-?\\~=.0é日\t😀"


class Yaml:
    """Writes a random YAML file; `parts` are the texts of its keys in block style at the top."""

    WORDS = ["500M", "3e-4", "1_000_000", "10%", "0x1f", "word", "true", "~", "'q # no'", '"q # \\" no"', "!!str 5"]
    KEYS = ["max_lr", "min_lr", "'quoted'", '"a # b"', "two words", "größer", "b-c", "d.e", "f"]

    def __init__(self, random):
        self.random = random
        self.pick = random.choice
        self.anchors = []
        self.parts = {}
        self.comments = []

    def flip(self, chance=0.5):
        return self.random.random() < chance

    def comment(self):
        self.comments.append("#" + "".join(self.random.choices(LETTERS, k=self.random.randrange(7))))
        return self.comments[-1]

    def eol(self):
        return (self.pick([" ", "  "]) + self.comment() if self.flip(0.4) else self.pick(["", "", " "])) + "\n"

    def between(self, deepest):
        lines = ""
        while self.flip(0.3):
            lines += self.pick(["", " " * self.random.randint(0, deepest) + self.comment()]) + "\n"
        return lines

    def keys(self):
        return self.random.sample(self.KEYS, self.random.randint(1, 4))

    def anchor(self):
        if not self.flip(0.15):
            return ""
        self.anchors.append(f"x{len(self.anchors)}")
        return f"&{self.anchors[-1]} "

    def gap(self, indent):
        """What may stand between the tokens within braces."""
        gap = self.pick(["", "", "", " "])
        while self.flip(0.15):
            gap += " " + self.pick(["", self.comment()]) + "\n" + " " * (indent + 1)
        return gap

    def word(self):
        if self.anchors and self.flip(0.3):
            return f"*{self.pick(self.anchors)} "
        anchored, word = self.anchor(), self.pick(self.WORDS)
        return f"!!str {anchored}5" if anchored and word.startswith("!") else anchored + word

    def flow(self, indent, depth=0):
        kind = self.pick(["word", "word", "list", "table"]) if depth < 3 else "word"
        if kind == "word":
            return self.word()
        items = []
        for key in self.keys():
            item = "" if kind == "list" else key + self.pick([":", " :"])
            if kind == "list" or self.flip(0.9):
                item += (" " + self.gap(indent)) * (kind == "table") + self.flow(indent, depth + 1)
            else:
                item = self.pick([key, key + ": "])
            items.append(self.gap(indent) + item + self.gap(indent))
        end = self.pick(["", ","]) + self.gap(indent)
        return ("[{}]" if kind == "list" else "{{{}}}").format(",".join(items) + end)

    def value(self, indent, depth):
        """What follows a key and its colon, up to the end of the line."""
        kind = self.pick(["flow", "flow", "nothing", "below", "text", "folded", "table", "list"])
        if kind == "flow":
            return " " + self.flow(indent) + self.eol()
        if kind == "nothing":
            return self.eol()
        inner = indent + self.pick([1, 2, 4])
        if kind == "below":
            return self.eol() + self.between(inner) + " " * inner + self.flow(inner) + self.eol()
        if kind == "text":
            head = self.pick(["|", "|-", "|+", ">", ">+"]) + (" " + self.comment() if self.flip(0.3) else "")
            return f" {head}\n{' ' * inner}a # no\n{self.pick(['', chr(10), ' ' * inner + 'b' + chr(10)])}"
        if kind == "folded":
            return f" two\n{' ' * inner}lines" + self.eol()
        anchored = self.anchor()
        own = [anchored.strip(" &")] if anchored else []
        self.anchors = [name for name in self.anchors if name not in own]
        if kind == "table" and depth < 3:
            text = " " + anchored + self.eol() + self.between(inner) + self.table(inner, depth + 1)
        else:
            inner = indent + self.pick([0, 2])
            text = " " + anchored + self.eol() + self.between(inner)
            for _ in range(self.random.randint(1, 3)):
                text += " " * inner + "- " + self.flow(inner + 2) + self.eol() + self.between(inner)
        self.anchors += own
        return text

    def table(self, indent, depth=0):
        text = ""
        for key in self.keys():
            part = " " * indent + key + self.pick([":", ":", " :"]) + self.value(indent, depth)
            if depth == 0:
                self.parts[key.strip("'\"")] = part
            text += part + self.between(indent)
        return text

    def text(self):
        text = self.between(4)
        if self.flip(0.3):
            text += self.pick(["", "", "%YAML 1.2\n", "%YAML 1.1\n"]) + "---" + self.eol() + self.between(4)
        if self.flip(0.85):
            text += self.table(self.pick([0, 0, 2]))
        else:
            text += "{" + self.gap(0) + ",".join(f"{key}: {self.flow(0)}" for key in self.keys()) + "}" + self.eol()
        if self.flip(0.2):
            text += self.between(0) + "..." + self.eol()
        return text + self.between(0)


class Toml(Yaml):
    """Writes a random TOML file; `parts` are the texts of its statements at the top."""

    WORDS = ['"500M"', "3e-4", "1_000", "0x1f", "true", "'q # no'", '"q # \\" no"', '"""a # no\nb"""', "1979-05-27"]
    KEYS = ["max_lr", "min_lr", "'quoted'", '"a # b"', '"two words"', "b-c", '"d.e"', "f", '"]"']

    def gap(self, indent):
        return "".join(f" {self.pick(['', self.comment()])}\n" for _ in range(2) if self.flip(0.15))

    def flow(self, indent, depth=0):
        kind = self.pick(["word", "word", "list", "table"]) if depth < 3 else "word"
        if kind == "word":
            return self.pick(self.WORDS)
        if kind == "list":
            items = [self.gap(0) + self.flow(0, depth + 1) + self.gap(0) for _ in self.keys()]
            return "[" + ",".join(items) + self.pick(["", ","]) + self.gap(0) + "]"
        dotted = self.pick(["", "", "g."])
        items = [f"{dotted}{key}{self.pick(['=', ' = '])}{self.flow(0, depth + 1)}" for key in self.keys()]
        return "{" + self.pick([",", ", ", " , "]).join(items) + self.pick(["}", " }"])

    def statements(self, top=False):
        text = ""
        for key in self.keys():
            dotted = [key] if self.flip(0.7) else [f"{key}.{inner}" for inner in self.keys()]
            for name in dotted:
                part = f"{self.pick(['', '', '  '])}{name}{self.pick([' = ', '='])}{self.flow(0)}{self.eol()}"
                text += part + self.between(4)
                if top:
                    self.parts.setdefault(key.strip("'\""), "")
                    self.parts[key.strip("'\"")] = part if len(dotted) == 1 else ""
        return text

    def text(self):
        text = self.between(4) + self.statements(top=True)
        for name in self.random.sample(["s", '"t # u"', "v"], self.random.randint(0, 3)):
            for header in self.pick([["[{}]"], ["[{}]", "[ {} . sub]"], ["[{}.sub]"], ["[[{}]]", "[[{}]]"]]):
                text += header.format(name) + self.eol() + self.between(4)
                if self.flip(0.8):
                    text += self.statements()
        return text


class Json(Yaml):
    """Writes a random JSON file."""

    WORDS = ["3e-4", "1000", "-0.0", "true", "null", '"500M"', '"\\u00e9 { # , }"', "[]", "{}"]
    KEYS = ['"max_lr"', '"min_lr"', '"größer"', '"a \\"b\\""', '"\\u0066"', '""']

    def gap(self, indent):
        return self.pick(["", "", " ", "\t", "\n", "\n  "])

    def flow(self, indent, depth=0):
        kind = self.pick(["word", "word", "list", "table"]) if 0 < depth < 3 else "word" if depth else "table"
        if kind == "word":
            return self.pick(self.WORDS)
        line = self.pick(["", "\n" + self.pick([" ", "\t"]) * (2 * depth + 2)])
        items = []
        for key in self.keys():
            start = "" if kind == "list" else key + self.gap(0) + ":" + self.gap(0)
            items.append((line or self.gap(0)) + start + self.flow(0, depth + 1) + self.gap(0) * (not line))
        return ("[{}]" if kind == "list" else "{{{}}}").format(",".join(items) + (line and "\n" + "  " * depth))

    def text(self):
        return self.gap(0) + self.flow(0) + self.gap(0)


STRINGS = st.one_of(
    st.text(max_size=5),
    st.sampled_from(["500M", "10%", "1e5", "3.0", "yes", "null", "~", "1-sqrt", "0xB", "2001-01-01", "1:30", "# x"]),
    st.sampled_from(
        ["a: b", "a\nb", "\x85", "\u2028", "\x7f", "\ufeff", "a # b", "-", "---", "...", "WSD", "😀", "=", ""]
    ),
)
SCALARS = st.one_of(
    st.integers(), st.floats(allow_nan=False), st.booleans(), STRINGS, st.sampled_from([3e-5, 1e16, 1e22, 5e-324, -0.0])
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(STRINGS, inner, max_size=3))


@st.composite
def edits(draw, table):
    """A table made from another: keys go, change or come; the changed ones come first and the new ones last."""
    new = {}
    for key, value in table.items():
        action = draw(st.sampled_from(["keep", "keep", "go", "change", "edit"]))
        if action == "edit" and isinstance(value, dict):
            new[key] = draw(edits(value))
        elif action == "change":
            new[key] = draw(VALUES)
        elif action != "go":
            new[key] = value
    return new | draw(st.dictionaries(st.sampled_from(["n1", "n 2", "n3", "max_lr"]), VALUES, max_size=2))


def assert_rewritten(path, data, writer):
    """Rewrite a random file that `writer` writes, by random changes."""
    random = data.draw(st.randoms(use_true_random=True))
    written = writer(random)
    text, newline = written.text(), random.choice(["\n", "\r\n"])
    text = text.rstrip("\n") if random.random() < 0.3 else text
    note(text)
    path.write_bytes(random.choice([b"", b"\xef\xbb\xbf"]) + text.replace("\n", newline).encode())
    document = read(path)
    assert not document.problems
    new = data.draw(edits(document.data)) or {"max_lr": 1}
    changes = {key: new.get(key, REMOVED) for key in {**document.data, **new}}
    result = rewritten(document, changes, heading=["derived from run"], suffix=path.suffix)

    path.write_bytes(result.encode())
    assert exact(read(path).data) == exact(new)
    assert result.endswith("\n")
    before, after = document.text.split(newline), result.splitlines()
    for each in written.comments:
        assert sum(line.endswith(each) for line in after) >= sum(line.endswith(each) for line in before), each
    for key, part in written.parts.items():
        unshared = "*" not in part and part in text[:-2]
        if key in new and exact(new[key]) == exact(document.data[key]) and unshared:
            assert set(part.split("\n")) <= {*after, ""}


def exact(data):
    """Make equal only what is equal in type, too."""
    return json.dumps(data, sort_keys=True, default=repr)


@SETTINGS
@given(data=st.data())
def test_any_yaml_file_keeps_its_comments_and_says_what_it_should(tmp_path, data):
    assert_rewritten(tmp_path / "run.yaml", data, Yaml)


@SETTINGS
@given(data=st.data())
def test_any_toml_file_keeps_its_comments_and_says_what_it_should(tmp_path, data):
    assert_rewritten(tmp_path / "run.toml", data, Toml)


@SETTINGS
@given(data=st.data())
def test_any_json_file_says_what_it_should(tmp_path, data):
    assert_rewritten(tmp_path / "run.json", data, Json)


# What it looks like


PARENT = """\
# The parent's own heading.
train_samples: 500M  # the run
max_lr:    3e-4   # peak
min_lr: 10%  # of max_lr
lr_warmup_steps: 1_000_000

# How it falls.
lr_decay_style:  # WSD
  style: WSD
  # a tenth
  wsd_decay_steps: 10%  # of the decay
  lr_wsd_decay_style: minus_sqrt
  # ends here
wd_incr_style: {style: polynomial, power: 2}  # flow
# The end.
"""


def test_a_derived_config_changes_nothing_else():
    changes = {
        "train_samples": REMOVED,
        "min_lr": 3e-5,
        "lr_decay_style": {"style": "WSD", "wsd_decay_steps": "20%", "anchor": "sqrt"},
        "wd_incr_style": {"style": "polynomial", "power": 1.5, "end": {"at": [1, 2.0]}},
        "branched_from": {"file": "parent.yaml", "step": 2000000},
        "note": "10",
    }
    assert (
        changed(PARENT, changes, heading=["Branched from parent.yaml", "", "# at 2M"])
        == """\
# Branched from parent.yaml
#
# at 2M

# The parent's own heading.
# train_samples: 500M  # the run
max_lr:    3e-4   # peak
min_lr: 3.0e-05  # of max_lr
lr_warmup_steps: 1_000_000

# How it falls.
lr_decay_style:  # WSD
  style: WSD
  # a tenth
  wsd_decay_steps: 20%  # of the decay
  anchor: sqrt
  # ends here
wd_incr_style: {style: polynomial, power: 1.5, end: {at: [1, 2.0]}}  # flow
branched_from:
  file: parent.yaml
  step: 2000000
note: "10"
# The end.
"""
    )


def test_a_table_that_goes_leaves_its_comments_where_they_stood():
    result = changed(PARENT, {"lr_decay_style": "cosine", "wd_incr_style": REMOVED, "lr_warmup_steps": REMOVED})
    assert (
        result.split("3e-4   # peak\n")[1]
        == """\
min_lr: 10%  # of max_lr

# How it falls.
lr_decay_style: cosine  # WSD
  # a tenth
  # wsd_decay_steps: 10%  # of the decay
  # ends here
# wd_incr_style: {style: polynomial, power: 2}  # flow
# The end.
"""
    )


def test_a_word_becomes_a_table_below_its_key():
    assert changed("a: cosine  # smooth\nb: 1\n", {"a": {"style": "WSD", "tail": {"x": []}}}) == (
        "a:  # smooth\n  style: WSD\n  tail:\n    x: []\nb: 1\n"
    )


def test_lines_within_braces_are_edited_as_lines():
    text = "a: {\n  b: 1,  # one\n  c: 2,  # two\n  # between\n  d: 3  # three\n}\n"
    assert changed(text, {"a": {"b": 1, "d": 4, "e": "x"}}) == (
        "a: {\n  b: 1,  # one\n  # c: 2,  # two\n  # between\n  d: 4,  # three\n  e: x\n}\n"
    )
    assert changed(text, {"a": {"b": 1}}) == (
        "a: {\n  b: 1  # one\n  # c: 2,  # two\n  # between\n  # d: 3  # three\n}\n"
    )


def test_a_list_over_several_lines_keeps_the_comments_of_its_items():
    text = "a:  # where\n  - 0.8  # first\n  # between\n  - 0.9\nb: [1,  # one\n  2]  # two\n"
    assert changed(text, {"a": [0.5], "b": [3]}) == (
        "a: [0.5]  # where\n  # - 0.8  # first\n  # between\nb: [3]  # one\n    # two\n"
    )


def test_a_toml_table_is_edited_in_place_and_a_new_one_has_a_header():
    text = (
        'max_lr = 3e-4 # peak\nmilestones = [ # where\n  0.8, # first\n]\nlr.style = "a" # dotted\n\n'
        '# weight decay\n[wd] # header\nstyle = "linear" # s\npower = 1_0\n# after\n'
    )
    changes = {
        "max_lr": 1e-5,
        "milestones": [0.5],
        "lr": {"style": "b", "n": 1},
        "wd": {"power": 10},
        "new": {"a": "x"},
    }
    assert changed(text, changes | {"note": "n"}, ".toml", ["derived"]) == (
        "# derived\n\nmax_lr = 1.0e-05 # peak\nmilestones = [0.5] # where\n#   0.8, # first\n"
        'lr.style = "b" # dotted\nlr.n = 1\nnote = "n"\n\n'
        '# weight decay\n[wd] # header\n# style = "linear" # s\npower = 1_0\n# after\n\n[new]\na = "x"\n'
    )


def test_comments_within_an_inline_toml_table_go_below_it():
    text = "a = {b = 1_0, c = [1, # one\n  2]} # end\nd = 1\n"
    assert changed(text, {"a": {"b": 10}}, ".toml") == "a = {b = 1_0} # end\n# c = [1, # one\nd = 1\n"
    assert changed(text, {"a": {"b": 10, "c": [3]}}, ".toml") == "a = {b = 1_0, c = [3]} # end\n# [1, # one\nd = 1\n"


@pytest.mark.parametrize("unit", ["  ", "    ", "\t"])
def test_json_keeps_its_layout_and_has_no_heading(unit):
    text = '{\n~"max_lr": 3e-4,\n~"a": {"x": 1, "y": 2},\n~"b": {\n~~"c": 1E0\n~}\n}'.replace("~", unit)
    changes = {"a": {"y": 2, "z": {"é": 1}}, "b": {"c": 1.0, "d": {"e": [{"f": 1}]}}, "g": "x"}
    assert changed(text, changes, ".json", ["derived"]) == (
        '{\n~"max_lr": 3e-4,\n~"a": {"y": 2, "z": {"é": 1}},\n~"b": {\n~~"c": 1E0,\n~~"d": {\n~~~"e": [{"f": 1}]\n'
        '~~}\n~},\n~"g": "x"\n}\n'
    ).replace("~", unit)


@pytest.mark.parametrize(
    ("text", "suffix"), [("a: 1\r\n", ".yaml"), ("a = 1\r\n", ".toml"), ('{\r\n "a": 1\r\n}', ".json")]
)
def test_new_lines_end_as_those_of_the_file(text, suffix):
    result = changed(text, {"b": {"c": 1}}, suffix, ["derived"])
    assert result.count("\n") == result.count("\r\n") > 2


def test_no_change_is_no_change():
    assert changed(PARENT, {"max_lr": 3e-4, "missing": REMOVED}) == PARENT


def test_a_letter_that_no_file_may_hold_is_written_out_in_the_heading():
    assert changed("a: 1\n", {}, heading=["from\n\udcffx\x00.yaml"]) == "# from\\n\\udcffx\\x00.yaml\n\na: 1\n"


# What YAML makes difficult


@pytest.mark.parametrize(
    ("text", "changes", "result"),
    [
        ("a: &x 3e-4  # one\nb: *x  # two\n", {"a": 1}, "a: 1  # one\nb: 3e-4  # two\n"),
        ("a: &x 3e-4\nb: *x\nc: *x\n", {"b": 1}, "a: &x 3e-4\nb: 1\nc: *x\n"),
        ("a: &x {s: 1_0}\nb: *x\n", {"a": {"s": 2}}, "a: &x {s: 2}\nb: {s: 10}\n"),
        ("a: &x\n  s: 1_0\nb: *x\n", {"b": {"s": 2}}, "a: &x\n  s: 1_0\nb:\n  s: 2\n"),
        ("a: &x !!str 5\nb: [*x]\n", {"a": REMOVED}, 'b: ["5"]\n'),
        ("a: &x one\n*x : 1\n", {"a": "two"}, "a: two\none : 1\n"),
        ("a: &x 1\nb: *x\nc: &x 2\nd: *x\n", {"c": REMOVED}, "a: &x 1\nb: *x\nd: 2\n"),
        ("a: !!str &x 5\nb: 1\n", {"a": 6}, "a: 6\nb: 1\n"),
        (
            "a: &x\n  b: 1\n  c: *x2\n".replace("*x2", "2") + "d: *x\n",
            {"a": {"b": 1}},
            "a: &x\n  b: 1\nd: {b: 1, c: 2}\n",
        ),
    ],
)
def test_aliases_say_what_they_said(text, changes, result):
    assert changed(text, changes) == result


@pytest.mark.parametrize(
    ("text", "changes", "result"),
    [
        ("a:\nb:  # c\n", {"a": 1, "b": {"c": 2}}, "a: 1\nb:  # c\n  c: 2\n"),
        ("{a, b: , 'c':1}\n", {"a": 1, "b": 2, "c": 3}, "{a: 1, b: 2 , 'c':3}\n"),
        ("{a: 1, b: }\n", {"c": 3}, "{a: 1, b: , c: 3 }\n"),
        ("{a: 1, b: 2}\n", {"a": REMOVED, "b": REMOVED, "c": 3}, "{c: 3}\n"),
        ("{a: 1, b: 2, c: 3}  # d\n", {"b": REMOVED}, "{a: 1, c: 3}  # d\n"),
        ("{a: 1, b: 2}\n", {"b": REMOVED}, "{a: 1}\n"),
        ("a: {b: 1}\n", {"a": {}}, "a: {}\n"),
        ("a:\n  b: 1\n", {"a": {}}, "a: {}\n"),
        ("a:\n  b: 1\n", {"a": {"c": 1}}, "a:\n  c: 1\n"),
        ("  a: 1\n  b: 2", {"c": 3}, "  a: 1\n  b: 2\n  c: 3\n"),
        ("a: |  # why\n  text\n\nb: 1\n", {"a": 2}, "a: 2  # why\n\nb: 1\n"),
        ("a: |+\n  text\n\n", {"b": 1}, "a: |+\n  text\n\nb: 1\n"),
        ("a: |\n  text\nb:\n  c: 1\n  # c\n", {"b": REMOVED}, "a: |\n  text\n#\n  # c\n"),
        ("a: 1\nb: |  # c\n  text", {"a": 2}, 'a: 2\nb: "text"  # c\n'),
        ("a:\n  # note\n  1  # one\n", {"a": 2}, "a:\n  # note\n  2  # one\n"),
        ("--- # c\na: 1\n... # d\n# e", {"b": 2}, "--- # c\na: 1\nb: 2\n... # d\n# e\n"),
        ("%YAML 1.1\n---\na: 1e-05\n", {"a": 3e-5, "b": "on"}, '%YAML 1.1\n---\na: 3.0e-05\nb: "on"\n'),
    ],
)
def test_every_way_to_write_yaml_can_be_edited(text, changes, result):
    assert changed(text, changes) == result


@pytest.mark.parametrize("text", ["? a\n: 1\n", "b: {? a : 1}\n"])
def test_a_key_after_a_question_mark_is_refused(text):
    with pytest.raises(ConfigError, match=r"run\.yaml: line 2: has a key after a question mark, .*'key: value'"):
        changed(f"c: 1\n{text}", {"c": 2})


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (3e-05, "3.0e-05"),
        (1e22, "1.0e+22"),
        (0.1, "0.1"),
        (2000000, "2000000"),
        (math.inf, ".inf"),
        (-math.inf, "-.inf"),
        (math.nan, ".nan"),
        (True, "true"),
        (None, "null"),
        ("500M", "500M"),
        ("10%", "10%"),
        ("2.5B", "2.5B"),
        ("minus_sqrt", "minus_sqrt"),
        ("1-sqrt", "1-sqrt"),
        ("3e-4", '"3e-4"'),
        ("1_000", '"1_000"'),
        ("12", '"12"'),
        ("Yes", '"Yes"'),
        ("null", '"null"'),
        ("", '""'),
        ("a: b", '"a: b"'),
        ("\x85😀\U000e0001", r'"\u0085😀\U000e0001"'),
    ],
)
def test_a_value_is_written_plainly_and_quoted_where_it_must_be(value, written):
    assert changed("a: 1\n", {"b": value}) == f"a: 1\nb: {written}\n"


@SETTINGS
@given(value=VALUES)
def test_a_yaml_1_1_reader_reads_the_same(value):
    yaml = pytest.importorskip("yaml")
    assert exact(yaml.safe_load(changed("a: 1\n", {"b": value}))["b"]) == exact(value)


# What is refused


@pytest.mark.parametrize("suffix", [".yml", ".yaml", ".YAML"])
def test_yml_is_yaml(suffix):
    assert rewritten(from_text(Path("run.yml"), "a: 1\n"), {"a": 2}, heading=(), suffix=suffix) == "a: 2\n"


@pytest.mark.parametrize("suffix", [".toml", ".json", ".txt", ""])
def test_another_format_is_refused(suffix):
    with pytest.raises(ConfigError) as caught:
        rewritten(from_text(Path("run.yaml"), "a: 1\n"), {"a": 2}, heading=(), suffix=suffix)
    assert str(caught.value) == (
        f"run.yaml: keeps its format when it is derived from; use the suffix .yaml, not {suffix!r}"
    )


def test_a_file_without_keys_is_refused():
    with pytest.raises(ConfigError, match=r"run\.yaml: would have no key left"):
        changed("a: 1\n", {"a": REMOVED})


@pytest.mark.parametrize(
    ("made", "says"),
    [
        ("a: [\n", r"cannot be read \(line 2: is no complete YAML"),
        ("a: 1 # c\n", "does not say what it should"),
        ("a: '2'\n", "does not say what it should"),
        ("a: 2\na: 2 # c\n", "does not say what it should"),
        ("a: 2\n", "lacks the comment '# c'"),
    ],
)
def test_a_text_that_came_out_wrong_is_never_returned(monkeypatch, made, says):
    monkeypatch.setattr(_yaml_writer, "edit", lambda text, old, new: made)
    with pytest.raises(SchedframeError, match=f"run.yaml: the text made from it {says}.*report it"):
        changed("a: 1 # c\n", {"a": 2})


def test_the_text_that_was_read_is_edited_whatever_the_file_holds_now(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("a: 1 # old\n")
    document = read(path)
    path.write_text("b: 1 # new\n")
    assert rewritten(document, {"a": 2}, heading=(), suffix=".yaml") == "a: 2 # old\n"
    assert path.read_text() == "b: 1 # new\n"
