"""``schedframe styles``: the list without imports, the page of one style."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

import schedframe
from schedframe._cli.docstring import fitted

from ..runs import cli

Install = Callable[..., Path]

STYLE = '''
    from typing import Annotated, Literal
    from pydantic import Field
    from schedframe.styles import AnyLRCurve, Length, LRShape

    class Steep(LRShape):
        """Steeper than ``linear``.

        Formula:
            c = 1 - power * p
        """
        style: Literal["steep"] = "steep"
        power: float = Field(2.0, gt=0, le=8, description="How steep.")
        hold: Length = Field(description="How long the peak holds.")
        parts: tuple[Annotated[float, Field(ge=0)], ...] = (0.5,)
        mode: Literal["a", "b"] | None = None
        tail: AnyLRCurve = Field("cosine", validate_default=True)

        def coefficient_at(self, step, warmup_steps, decay_steps):
            return 1.0
'''


def styles(*arguments: str, columns: str | None = None) -> tuple[int, str, str]:
    return cli("styles", *arguments, columns=columns)


def listed(*arguments: str) -> list[dict]:
    code, out, err = styles(*arguments, "--format", "json")
    assert (code, err) == (0, "")
    return json.loads(out)["styles"]


def test_every_builtin_style_is_listed() -> None:
    own = [style for style in listed() if style["distribution"] == "schedframe"]
    assert {(style["kind"], style["name"]) for style in own} == {
        *(("LR", name) for name in schedframe.lr_styles.builtins),
        *(("WD", name) for name in schedframe.wd_styles.builtins),
    }
    assert next(style for style in own if style["name"] == "minus_sqrt") == {
        "name": "minus_sqrt",
        "kind": "LR",
        "distribution": "schedframe",
        "version": schedframe.__version__,
        "target": "schedframe.styles.lr:MinusSqrt",
        "path": None,
        "sha256": None,
        "aliases": ["1-sqrt"],
        "description": "One minus the square root of progress: fast at first, then slow.",
        "fault": None,
    }


@pytest.mark.parametrize("kind", ["lr", "wd"])
def test_one_kind_alone(kind: str) -> None:
    assert {style["kind"] for style in listed("--kind", kind)} == {kind.upper()}


def test_the_table_has_a_line_for_each_style_where_it_is_piped() -> None:
    code, out, err = styles("--kind", "wd")
    assert (code, err) == (0, "")
    assert out.splitlines()[0].split() == ["name,", "aliases", "curve", "kind", "from", "description"]
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert (
        f"constant ████████████████ WD schedframe {schedframe.__version__} One weight decay for the whole run." in lines
    )
    assert not any(line.endswith(" ") for line in out.splitlines())


def test_the_table_fits_eighty_columns() -> None:
    _, out, _ = styles(columns="80")
    assert max(map(len, out.splitlines())) <= 80
    assert "inverse-square-root,  LR" in out
    assert "\nminus_sqrt, 1-sqrt" in out
    assert "\n█▇▆▅▅▄▄▃▃▃▂▂▂▁▁▁ " in out
    assert "\ninverse_square_root " in out


def test_listing_imports_no_plugin(install: Install) -> None:
    install("steep-one", "raise SystemExit(3)", lr_styles={"steep": "steep_one_mod:Steep"}, summary="Steep ones.")
    row = next(style for style in listed() if style["name"] == "steep")
    assert (row["distribution"], row["version"], row["description"]) == ("steep-one", "1.0", "Steep ones.")
    assert row["fault"] is None
    assert "Steep ones." in styles()[1]
    assert "steep_one_mod" not in sys.modules


def on_its_own(*arguments: str) -> str:
    """Run ``schedframe`` in a process that ends, and its styles with it."""
    return subprocess.run(
        [sys.executable, "-m", "schedframe", *arguments], capture_output=True, text=True, check=True
    ).stdout


def curve_of(name: str, kind: str, *arguments: str) -> str:
    rows = [line.split() for line in styles("--kind", kind, *arguments)[1].splitlines()]
    return next(row[1] for row in rows if row[:1] == [name])


@pytest.mark.parametrize(
    ("name", "kind", "curve"),
    [
        ("linear", "lr", "██▇▇▆▆▅▅▄▄▃▃▂▂▁▁"),
        ("linear", "wd", "▁▂▂▃▃▄▄▅▅▆▆▇▇███"),
        ("cosine", "lr", "████▇▇▆▅▄▄▃▂▂▁▁▁"),
        ("constant", "lr", "████████████████"),
    ],
)
def test_a_builtin_style_has_a_small_line(name: str, kind: str, curve: str) -> None:
    assert curve_of(name, kind) == curve


@pytest.mark.parametrize("name", ["multi-step", "phases"])
def test_a_style_that_defaults_cannot_make_has_none(name: str) -> None:
    assert curve_of(name, "lr") == "LR"


def test_a_plugin_has_none_in_the_list_and_a_large_one_on_its_page(install: Install) -> None:
    install("steep-one", STYLE, lr_styles={"steep": "steep_one_mod:Steep"})
    assert curve_of("steep", "lr") == "LR"
    assert "hold 20%:\n" in styles("steep")[1]
    assert "learning rate over samples" in styles("steep")[1]


def test_a_registered_style_has_a_small_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text(
        "import schedframe\n" + dedent(STYLE).replace("class Steep", "@schedframe.lr_styles.register\nclass Steep")
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    lines = on_its_own("styles", "--import", "./mine.py").splitlines()
    assert next(line.split()[1] for line in lines if line.startswith("steep ")) == "████████████████"


def test_listing_with_curves_runs_no_hook_of_a_plugin(install: Install) -> None:
    install("house", "raise SystemExit(3)", hooks={"house": "house_mod"})
    assert styles()[0] == 0
    assert "house_mod" not in sys.modules


def test_a_style_that_fails_has_no_curve(install: Install) -> None:
    install("sinker", STYLE.replace("return 1.0", "raise SystemExit(3)"), lr_styles={"steep": "sinker_mod:Steep"})
    code, out, err = styles("steep")
    assert (code, err) == (0, "")
    assert "learning rate over" not in out


def test_what_cannot_be_used_is_listed_with_the_reason(install: Install) -> None:
    install("steep-one", STYLE, lr_styles={"steep": "steep_one_mod:Steep"})
    install("steep-two", STYLE, lr_styles={"steep": "steep_two_mod:Steep"})
    install("thief", STYLE, lr_styles={"cosine": "thief_mod:Steep"})
    faults = {(style["name"], style["distribution"]): style["fault"] for style in listed("--kind", "lr")}
    assert "more than once" in faults["steep", "steep-one"]
    assert faults["steep", "steep-one"] == faults["steep", "steep-two"]
    assert "cannot be taken" in faults["cosine", "schedframe"]
    assert faults["linear", "schedframe"] is None
    assert f"unusable: {faults['steep', 'steep-one']}" in styles()[1]


def test_the_page_of_a_builtin_style() -> None:
    code, out, err = styles("WSD")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[:5] == [
        "WSD",
        "kind     LR",
        "tier     shape",
        f"from     schedframe {schedframe.__version__} (schedframe.styles.lr:WSD)",
        "aliases  wsd",
    ]
    assert "    c = 1                for step <= lr_decay_steps - wsd_decay_steps" in lines
    options = lines.index("with lr_warmup_steps 5%, min_lr 5% of max_lr, wsd_decay_steps 20%:")
    assert lines[options - 5].split() == ["option", "type", "default", "description"]
    assert lines[options - 3 : options - 1] == [
        "wsd_decay_steps     length    (needed)     Length of the cooldown, in steps or percent of lr_decay_steps.",
        "lr_wsd_decay_style  LR curve  exponential  Curve of the cooldown.",
    ]


def test_an_alias_shows_the_style_behind_it() -> None:
    assert styles("1-sqrt") == styles("minus_sqrt")


def test_a_name_of_both_kinds_shows_both() -> None:
    code, out, err = styles("cosine")
    assert (code, err) == (0, "")
    assert "schedframe.styles.lr:Cosine" in out
    assert "schedframe.styles.wd:WDCosine" in out
    assert out.count("It has no options.") == 2
    assert "schedframe.styles.lr:Cosine" not in styles("cosine", "--kind", "wd")[1]


def test_the_page_of_a_plugin(install: Install) -> None:
    install("steep-one", STYLE, lr_styles={"steep": "steep_one_mod:Steep"})
    code, out, err = styles("steep")
    assert (code, err) == (0, "")
    assert "steep-one 1.0 (steep_one_mod:Steep)" in out
    assert "Steeper than `linear`." in out
    lines = [" ".join(line.split()) for line in out.splitlines()]
    first = lines.index("power float > 0 and <= 8 2 How steep.")
    assert lines[first : first + 5] == [
        "power float > 0 and <= 8 2 How steep.",
        "hold length (needed) How long the peak holds.",
        "parts list of float >= 0 [0.5]",
        "mode 'a' or 'b' or nothing None",
        "tail LR curve cosine",
    ]


def test_the_page_as_json(install: Install) -> None:
    install("steep-one", STYLE, lr_styles={"steep": "steep_one_mod:Steep"})
    (page,) = listed("steep")
    assert page["tier"] == "shape"
    assert page["target"] == "steep_one_mod:Steep"
    assert page["docstring"].startswith("Steeper than `linear`.\n\nFormula:")
    assert [(option["name"], option["needed"], option["default"]) for option in page["options"]] == [
        ("power", False, 2.0),
        ("hold", True, None),
        ("parts", False, [0.5]),
        ("mode", False, None),
        ("tail", False, "cosine"),
    ]
    (wsd,) = listed("WSD")
    assert wsd["options"][1]["default"] == {"style": "exponential"}


def test_an_unknown_name() -> None:
    code, out, err = styles("cosin", "--kind", "lr")
    assert (code, out) == (2, "")
    with pytest.raises(schedframe.UnknownStyleError) as told:
        schedframe.lr_styles["cosin"]
    assert err == f"{told.value}\n"
    assert "did you mean 'cosine'?" in err


def test_an_unknown_name_of_either_kind() -> None:
    code, out, err = styles("nothing-like-it")
    assert (code, out) == (2, "")
    assert [line.split("'")[0] for line in err.splitlines()] == ["there is no LR style ", "there is no WD style "]


def test_a_plugin_that_fails_to_import(install: Install) -> None:
    install("broken", "1 / 0", lr_styles={"steep": "broken_mod:Steep"})
    code, out, err = styles("steep")
    assert (code, out) == (2, "")
    assert err.startswith("LR style 'steep' from broken 1.0 (broken_mod:Steep) cannot be imported: ZeroDivision")
    assert len(err.splitlines()) == 1


def test_a_conflict_of_one_kind_leaves_the_other(install: Install) -> None:
    install("thief", STYLE, lr_styles={"cosine": "thief_mod:Steep"})
    code, out, err = styles("cosine")
    assert code == 2
    assert "schedframe.styles.wd:WDCosine" in out
    assert err.startswith("LR style 'cosine' is built in")


def test_a_blocked_plugin(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("steep-one", STYLE, lr_styles={"steep": "steep_one_mod:Steep"})
    monkeypatch.setenv("SCHEDFRAME_BLOCK", "steep-one")
    code, out, err = styles("steep")
    assert (code, out) == (2, "")
    assert "SCHEDFRAME_BLOCK blocks it" in err
    assert "unusable: SCHEDFRAME_BLOCK blocks it" in styles()[1]


def test_a_variable_that_names_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCHEDFRAME_ALLOW", "no-such-distribution")
    code, out, err = styles()
    assert (code, out) == (2, "")
    assert err.startswith("SCHEDFRAME_ALLOW names 'no-such-distribution'")


def test_prose_is_refilled_and_formulas_are_not() -> None:
    docstring = """One line.

    Two lines that
    become one::

        code = [1,
                2]

    Formula:
        c = 1   for a
        c = 2   for b, which is longer than the width

    At the edges:
        It stays
        where it is.
    """
    assert fitted(docstring, 30) == "\n".join(
        [
            "One line.",
            "",
            "Two lines that become one::",
            "",
            "    code = [1,",
            "            2]",
            "",
            "Formula:",
            "    c = 1   for a",
            "    c = 2   for b, which is",
            "        longer than the width",
            "",
            "At the edges:",
            "    It stays where it is.",
        ]
    )
