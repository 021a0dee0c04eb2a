"""From a name to a style, through real distributions on the path."""

import hashlib
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

import schedframe
from schedframe import (
    ConfigError,
    PluginError,
    Schedule,
    StyleConflictError,
    StyleLoadError,
    UnknownStyleError,
    lr_styles,
    source_of,
    wd_styles,
)
from schedframe.styles import LRCurve, WDCurve
from schedframe.styles.lr import WSD, Cosine, InverseSquareRoot, MinusSqrt

REPO = Path(__file__).resolve().parents[2]


def curve(name: str, cls: str = "Curve", base: str = "LRCurve") -> str:
    """Source text of a good style."""
    return f'''
from typing import Literal
from schedframe.styles import {base}


class {cls}({base}):
    """A straight line."""

    style: Literal["{name}"] = "{name}"

    def coefficient(self, progress: float) -> float:
        return 1.0 - progress
'''


@pytest.fixture(autouse=True)
def _every_plugin(monkeypatch, unregister):
    monkeypatch.delenv("SCHEDFRAME_ALLOW", raising=False)
    monkeypatch.delenv("SCHEDFRAME_BLOCK", raising=False)


def fault(name: str, registry=lr_styles) -> str:
    """What the listing says against the installed style `name`, of all its rows."""
    return " | ".join(row.fault for row in registry.listing() if row.source.name == name)


# Names and where they come from


def python(script: str, *path: Path) -> str:
    """What a fresh interpreter prints that finds schedframe and `path`."""
    env = dict(os.environ, PYTHONPATH=os.pathsep.join([*map(str, path), str(REPO)]))
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_public_name_can_be_the_first_that_is_used():
    script = """
import importlib, sys

def fresh():
    for name in [name for name in sys.modules if name.partition(".")[0] == "schedframe"]:
        del sys.modules[name]
    return importlib.import_module("schedframe")

for name in fresh().__all__:
    try:
        getattr(fresh(), name)
    except Exception as error:
        print("schedframe." + name, error)
PUBLIC = ("styles", "styles.lr", "styles.wd", "megatron")
PRIVATE = ("_plugins.registry", "styles._byname", "_schedule.schedule", "_run.scheduler")
for name in PUBLIC + PRIVATE:
    try:
        fresh()
        importlib.import_module("schedframe." + name)
    except Exception as error:
        print("schedframe." + name, error)
"""
    assert python(script) == ""


def test_a_plugin_loads_by_name_and_says_where_it_comes_from(install):
    install("acme-planet", curve("planet"), lr_styles={"planet": "acme_planet_mod:Curve"}, version="2.3")
    style = lr_styles["planet"]()
    assert style.coefficient(0.25) == 0.75
    source = source_of(style)
    assert (source.distribution, source.version, source.target) == ("acme-planet", "2.3", "acme_planet_mod:Curve")
    assert source == source_of(type(style)) == lr_styles.source("planet")
    assert str(source) == "acme-planet 2.3 (acme_planet_mod:Curve)"


def test_a_weight_decay_plugin_is_in_its_own_registry(install):
    install("acme-moon", curve("moon", base="WDCurve"), wd_styles={"moon": "acme_moon_mod:Curve"})
    assert issubclass(wd_styles["moon"], WDCurve)
    assert "moon" not in lr_styles
    with pytest.raises(UnknownStyleError, match=r"^there is no LR style 'moon'"):
        lr_styles["moon"]


def test_one_distribution_may_use_one_name_for_both_kinds(install):
    module = curve("tide") + curve("tide", "WDTide", "WDCurve")
    install("acme-tide", module, lr_styles={"tide": "acme_tide_mod:Curve"}, wd_styles={"tide": "acme_tide_mod:WDTide"})
    assert issubclass(lr_styles["tide"], LRCurve)
    assert issubclass(wd_styles["tide"], WDCurve)


@pytest.mark.parametrize(
    ("alias", "cls"), [("1-sqrt", MinusSqrt), ("wsd", WSD), ("inverse_square_root", InverseSquareRoot)]
)
def test_an_alias_is_the_canonical_style(alias, cls):
    assert lr_styles[alias] is cls
    assert alias in lr_styles
    assert alias not in list(lr_styles)
    assert lr_styles.source(alias).name == cls.model_fields["style"].default


def test_an_alias_in_a_schedule_is_stored_under_the_canonical_name():
    schedule = Schedule(max_lr=1, lr_decay_steps=10, lr_decay_style={"style": "inverse_square_root"})
    assert schedule.lr_decay_style.style == "inverse-square-root"


@pytest.mark.parametrize("registry", [lr_styles, wd_styles], ids=["lr", "wd"])
def test_every_built_in_loads_under_its_own_name_and_is_final(registry):
    for name in registry.builtins:
        cls = registry[name]
        assert cls.model_fields["style"].default == name
        assert cls.model_fields["style"].annotation == Literal[name]
        assert not inspect.isabstract(cls)
        assert sys.version_info < (3, 11) or getattr(cls, "__final__", False)
        assert source_of(cls).distribution == "schedframe"
        assert source_of(cls).version == schedframe.__version__


def test_the_listing_has_every_built_in_without_fault():
    rows = {row.source.name: row for row in lr_styles.listing() if row.source.distribution == "schedframe"}
    assert set(rows) == set(lr_styles.builtins)
    assert not any(row.fault for row in rows.values())


def test_an_instance_that_was_never_asked_for_by_name_knows_its_distribution(install):
    site = install("acme-direct", curve("direct"), lr_styles={"direct": "acme_direct_mod:Curve"})
    script = (
        "from acme_direct_mod import Curve; from schedframe import source_of; "
        "from schedframe.styles.lr import Cosine; print(source_of(Curve())); print(source_of(Cosine()))"
    )
    printed = python(script, site).splitlines()
    assert printed == [
        "acme-direct 1.0 (acme_direct_mod:Curve)",
        f"schedframe {schedframe.__version__} (schedframe.styles.lr:Cosine)",
    ]


def test_get_gives_the_default_for_an_unknown_name():
    assert lr_styles.get("no-such-style") is None
    assert lr_styles.get("cosine") is Cosine


# Nothing is imported before it is named


WATCHED = "print(sorted({'torch', 'pydantic', 'ruamel', 'pluggy', 'acme_lazy_mod'} & set(sys.modules)))"


@pytest.fixture
def lazy_site(install) -> Path:
    """A style and a hook of one plugin, and something that calls itself torch."""
    site = install(
        "acme-lazy",
        curve("lazy"),
        lr_styles={"lazy": "acme_lazy_mod:Curve"},
        hooks={"acme": "acme_lazy_mod"},
    )
    (site / "torch.py").write_text("")
    return site


def test_importing_schedframe_imports_no_torch_no_pydantic_and_no_plugin(lazy_site):
    assert python(f"import sys, schedframe; {WATCHED}", lazy_site) == "[]\n"


@pytest.mark.parametrize(
    ("use", "seen"),
    [("import torch", "torch"), ("schedframe.Schedule", "pydantic"), ("schedframe.lr_styles['lazy']", "acme_lazy_mod")],
    ids=["torch", "pydantic", "plugin"],
)
def test_the_check_above_can_fail(lazy_site, use, seen):
    assert seen in python(f"import sys, schedframe; {use}; {WATCHED}", lazy_site)


def test_listing_imports_neither_torch_nor_a_plugin(lazy_site):
    looks = "list(schedframe.lr_styles); schedframe.lr_styles.listing(); 'lazy' in schedframe.lr_styles"
    printed = python(f"import sys, schedframe; {looks}; schedframe.load; {WATCHED}", lazy_site)
    assert "torch" not in printed
    assert "acme_lazy_mod" not in printed


LOOKS = {
    "iter": lambda name: name in list(lr_styles),
    "in": lambda name: name in lr_styles,
    "listing": lambda name: name in [row.source.name for row in lr_styles.listing()],
    "source": lambda name: lr_styles.source(name).name == name,
    "len": lambda name: len(lr_styles) > len(lr_styles.builtins),
}


@pytest.mark.parametrize("how", LOOKS)
def test_looking_imports_nothing(install, how):
    name, module = f"quiet-{how}", f"acme_{how}_mod"
    install(f"acme-{how}", curve(name), lr_styles={name: f"{module}:Curve"})
    assert LOOKS[how](name)
    assert module not in sys.modules
    assert lr_styles[name]
    assert module in sys.modules


def test_naming_one_style_imports_no_other_plugin(install):
    install("acme-one", curve("one"), lr_styles={"one": "acme_one_mod:Curve"})
    install("acme-two", curve("two"), lr_styles={"two": "acme_two_mod:Curve"})
    Schedule(max_lr=1, lr_decay_steps=10, lr_decay_style="one")
    assert "acme_one_mod" in sys.modules
    assert "acme_two_mod" not in sys.modules


def test_the_listing_has_the_summary_of_the_distribution(install):
    install("acme-sum", curve("summed"), lr_styles={"summed": "acme_sum_mod:Curve"}, summary="Planets for everyone.")
    assert [row.summary for row in lr_styles.listing() if row.source.name == "summed"] == ["Planets for everyone."]


# Clashes


@pytest.fixture
def twins(install) -> None:
    install("acme-twin", curve("twin"), lr_styles={"twin": "acme_twin_mod:Curve"}, version="1.1")
    module = curve("twin") + curve("only-b", "OnlyB")
    points = {"twin": "bolt_twin_mod:Curve", "only-b": "bolt_twin_mod:OnlyB"}
    install("bolt-twin", module, lr_styles=points, version="0.2")


@pytest.mark.usefixtures("twins")
def test_a_name_of_two_distributions_is_refused_when_it_is_asked_for():
    with pytest.raises(StyleConflictError) as caught:
        lr_styles["twin"]
    assert str(caught.value) == (
        "LR style 'twin' is provided more than once: acme-twin 1.1 (acme_twin_mod:Curve); "
        "bolt-twin 0.2 (bolt_twin_mod:Curve); uninstall all but one, or set SCHEDFRAME_BLOCK to those that you "
        "do not want (acme-twin,bolt-twin)"
    )
    assert "acme_twin_mod" not in sys.modules


@pytest.mark.usefixtures("twins")
def test_a_clash_leaves_every_other_name_alone():
    assert lr_styles["cosine"] is Cosine
    assert lr_styles["only-b"]().coefficient(0.5) == 0.5
    assert "twin" not in lr_styles
    assert "twin" not in list(lr_styles)
    assert fault("twin").count("is provided more than once") == 2
    assert fault("only-b") == ""


@pytest.mark.usefixtures("twins")
@pytest.mark.parametrize(("blocked", "left"), [("acme-twin", "bolt-twin"), ("bolt-twin", "acme-twin")])
def test_blocking_one_of_two_makes_the_other_work(monkeypatch, blocked, left):
    monkeypatch.setenv("SCHEDFRAME_BLOCK", blocked)
    assert source_of(lr_styles["twin"]).distribution == left


@pytest.mark.parametrize("name", ["cosine", "1-sqrt"])
def test_a_plugin_cannot_take_a_built_in_name_or_an_alias(install, monkeypatch, name):
    own = f"thief-of-{name}"
    module = curve(name) + curve(own, "Own")
    points = {name: "acme_thief_mod:Curve", own: "acme_thief_mod:Own"}
    install("acme-thief", module, lr_styles=points, version="0.3")
    with pytest.raises(StyleConflictError) as caught:
        lr_styles[name]
    assert f"LR style {name!r} is built in (schedframe {schedframe.__version__} " in str(caught.value)
    assert "claimed by acme-thief 0.3 (acme_thief_mod:Curve)" in str(caught.value)
    assert "SCHEDFRAME_BLOCK=acme-thief" in str(caught.value)
    assert "acme_thief_mod" not in sys.modules
    assert name not in lr_styles
    assert lr_styles["linear"]
    assert lr_styles["minus_sqrt"] is MinusSqrt
    assert wd_styles["cosine"]
    assert lr_styles[own]
    monkeypatch.setenv("SCHEDFRAME_BLOCK", "acme-thief")
    assert lr_styles[name] in (Cosine, MinusSqrt)


def test_a_schedule_that_does_not_name_the_stolen_name_works(install):
    install("acme-rogue", curve("cosine"), lr_styles={"cosine": "acme_rogue_mod:Curve"})
    assert Schedule(max_lr=1, lr_decay_steps=10, lr_decay_style="linear").lr_at(5) == 0.5
    with pytest.raises(ConfigError, match="built-in names and their aliases cannot be taken"):
        Schedule(max_lr=1, lr_decay_steps=10, lr_decay_style="cosine")


def test_a_clash_of_weight_decay_styles_is_not_settled_by_a_learning_rate_curve_of_the_name(install):
    for name in ("acme-root", "bolt-root"):
        target = f"{name.replace('-', '_')}_mod:Curve"
        install(name, curve("minus_sqrt", base="WDCurve"), wd_styles={"minus_sqrt": target})
    with pytest.raises(ConfigError, match=r"WD style 'minus_sqrt' is provided more than once: acme-root 1\.0 .*; bolt"):
        Schedule(max_lr=1, lr_decay_steps=10, start_wd=0.1, end_wd=0.2, wd_incr_style="minus_sqrt")


# Plugins that do not work


@pytest.mark.parametrize(
    ("module", "says", "cause"),
    [
        ("import no_such_module_of_acme", "ModuleNotFoundError: No module named 'no_such_module_of_acme'", ImportError),
        ("raise ImportError('libplanet.so: wrong ELF class')", "ImportError: libplanet.so", ImportError),
        ("def broken(:", "SyntaxError: ", SyntaxError),
        ("raise SystemExit(3)", "SystemExit: 3", SystemExit),
        ("raise RuntimeError('no licence')", "RuntimeError: no licence", RuntimeError),
        ("", "AttributeError: ", AttributeError),
    ],
    ids=["missing-module", "import-error", "syntax-error", "system-exit", "runtime-error", "missing-class"],
)
def test_a_plugin_that_fails_to_import_is_an_error_only_when_it_is_named(install, module, says, cause):
    install("acme-fail", module, lr_styles={"failing": "acme_fail_mod:Curve"}, version="7.0")
    assert "failing" in list(lr_styles)
    assert lr_styles["cosine"] is Cosine
    with pytest.raises(StyleLoadError) as caught:
        lr_styles["failing"]
    assert "LR style 'failing' from acme-fail 7.0 (acme_fail_mod:Curve) cannot be imported: " in str(caught.value)
    assert says in str(caught.value)
    assert "repair or reinstall it" in str(caught.value)
    assert isinstance(caught.value.__cause__, cause)
    assert lr_styles["cosine"] is Cosine
    assert [row.source.distribution for row in lr_styles.listing() if row.source.name == "failing"] == ["acme-fail"]


@pytest.mark.parametrize(
    ("module", "target", "says"),
    [
        ("Curve = 5", "Curve", "it is not a subclass of schedframe.styles.LRStyle"),
        ("class Curve: pass", "Curve", "it is not a subclass of schedframe.styles.LRStyle"),
        (curve("wrong", base="WDCurve"), "Curve", "it is not a subclass of schedframe.styles.LRStyle"),
        (curve("wrong") + "\ncurve = Curve()\n", "curve", "it is not a subclass of schedframe.styles.LRStyle"),
        ("def curve(progress): return 1.0", "curve", "it is not a subclass of schedframe.styles.LRStyle"),
        ("from schedframe.styles import LRCurve as Curve", "Curve", "it does not implement coefficient"),
        (
            curve("rong"),
            "Curve",
            "its field `style` is 'rong' and its entry point 'wrong'; make them the same",
        ),
        (
            "from schedframe.styles.lr import Linear as Curve",
            "Curve",
            "its field `style` is 'linear' and its entry point 'wrong'; make them the same",
        ),
    ],
    ids=["number", "plain-class", "wd-style", "instance", "function", "abstract", "other-name", "built-in-class"],
)
def test_what_is_no_style_is_refused_when_it_is_named(install, module, target, says):
    install("acme-wrong", module, lr_styles={"wrong": f"acme_wrong_mod:{target}"})
    with pytest.raises(StyleLoadError) as caught:
        lr_styles["wrong"]
    source = f"acme-wrong 1.0 (acme_wrong_mod:{target})"
    assert str(caught.value) == f"LR style 'wrong' from {source} cannot be used: {says}"
    assert lr_styles["cosine"] is Cosine


def test_a_style_with_an_option_that_cannot_be_validated_is_refused_when_it_is_named(install):
    module = curve("opaque").replace(' = "opaque"', ' = "opaque"\n    option: type("Thing", (), {})')
    install("acme-opaque", module, lr_styles={"opaque": "acme_opaque_mod:Curve"})
    with pytest.raises(StyleLoadError) as caught:
        lr_styles["opaque"]
    assert str(caught.value).startswith(
        "LR style 'opaque' from acme-opaque 1.0 (acme_opaque_mod:Curve) cannot be used: PydanticSchemaGenerationError: "
    )


def test_a_style_without_a_name_of_its_own_is_refused(install):
    module = curve("nameless").replace(' = "nameless"', "")
    install("acme-nameless", module, lr_styles={"nameless": "acme_nameless_mod:Curve"})
    with pytest.raises(StyleLoadError, match="style"):
        lr_styles["nameless"]


def test_an_incompatible_plugin_is_refused_before_its_import(install):
    install("acme-new", curve("newer"), lr_styles={"newer": "acme_new_mod:Curve"}, requires="schedframe>=99")
    with pytest.raises(StyleLoadError) as caught:
        lr_styles["newer"]
    assert str(caught.value) == (
        "LR style 'newer' from acme-new 1.0 (acme_new_mod:Curve) cannot be used: it requires schedframe>=99, and "
        f"this is schedframe {schedframe.__version__}; install versions that fit each other"
    )
    assert "acme_new_mod" not in sys.modules
    assert "newer" not in lr_styles
    assert fault("newer") == f"it requires schedframe>=99, and this is schedframe {schedframe.__version__}"


@pytest.mark.parametrize(
    "requires",
    [
        'schedframe>=99; extra == "future"',
        'schedframe>=99; python_version < "3"',
        "schedframe-tools>=99",
        "schedframe",
        "schedframe>=0.0.1",
        "schedframe[torch]",
        "not a requirement at all!!",
    ],
)
def test_a_requirement_that_does_not_exclude_this_version_is_fine(install, requires):
    install("acme-fits", curve("fits"), lr_styles={"fits": "acme_fits_mod:Curve"}, requires=requires)
    assert "fits" in lr_styles
    assert lr_styles["fits"]().coefficient(1.0) == 0.0


def test_the_requirement_is_found_in_any_spelling_of_the_name(install):
    install("acme-spell", curve("spelt"), lr_styles={"spelt": "acme_spell_mod:Curve"}, requires="SchedFrame (<0.0.1)")
    with pytest.raises(StyleLoadError, match=r"it requires schedframe<0\.0\.1"):
        lr_styles["spelt"]


# SCHEDFRAME_ALLOW and SCHEDFRAME_BLOCK


@pytest.fixture
def foo_and_bar(install) -> None:
    install("Foo_Bar", curve("foo"), lr_styles={"foo": "Foo_Bar_mod:Curve"}, version="1.5")
    install("other-bar", curve("bar"), lr_styles={"bar": "other_bar_mod:Curve"})


@pytest.mark.usefixtures("foo_and_bar")
@pytest.mark.parametrize("spelling", ["Foo_Bar", "foo-bar", "FOO.BAR", " foo__bar , ", "schedframe,foo-bar"])
def test_a_blocked_distribution_gives_no_style(monkeypatch, spelling):
    monkeypatch.setenv("SCHEDFRAME_BLOCK", spelling)
    assert "foo" not in lr_styles
    assert "bar" in lr_styles
    assert lr_styles["cosine"] is Cosine
    assert fault("foo") == "SCHEDFRAME_BLOCK blocks it"
    with pytest.raises(UnknownStyleError) as caught:
        lr_styles["foo"]
    assert str(caught.value) == (
        "the LR style 'foo' comes from Foo_Bar 1.5 (Foo_Bar_mod:Curve), and SCHEDFRAME_BLOCK blocks it; "
        "change the variable to use it"
    )
    assert "Foo_Bar_mod" not in sys.modules


@pytest.mark.usefixtures("foo_and_bar")
@pytest.mark.parametrize("allow", ["", " ", ",", "schedframe"])
def test_an_empty_allow_list_leaves_only_what_is_built_in(monkeypatch, allow):
    monkeypatch.setenv("SCHEDFRAME_ALLOW", allow)
    assert set(lr_styles) == set(lr_styles.builtins)
    with pytest.raises(UnknownStyleError, match=r"Foo_Bar 1\.5 .*, and SCHEDFRAME_ALLOW does not list it"):
        lr_styles["foo"]


@pytest.mark.usefixtures("foo_and_bar")
def test_without_an_allow_list_everything_is_allowed():
    assert {"foo", "bar", *lr_styles.builtins} <= set(lr_styles)


@pytest.mark.usefixtures("foo_and_bar")
@pytest.mark.parametrize("spelling", ["Foo_Bar", "foo-bar", "foo.bar,", "schedframe, FOO-BAR"])
def test_an_allow_list_allows_what_it_lists(monkeypatch, spelling):
    monkeypatch.setenv("SCHEDFRAME_ALLOW", spelling)
    assert set(lr_styles) == {"foo", *lr_styles.builtins}
    assert lr_styles["foo"]


@pytest.mark.usefixtures("foo_and_bar")
def test_block_wins_over_allow(monkeypatch):
    monkeypatch.setenv("SCHEDFRAME_ALLOW", "foo-bar")
    monkeypatch.setenv("SCHEDFRAME_BLOCK", "foo-bar")
    assert set(lr_styles) == set(lr_styles.builtins)


@pytest.mark.usefixtures("foo_and_bar")
def test_a_variable_acts_at_once_also_on_what_was_loaded_before(monkeypatch):
    assert lr_styles["foo"]
    monkeypatch.setenv("SCHEDFRAME_BLOCK", "foo-bar")
    with pytest.raises(UnknownStyleError):
        lr_styles["foo"]


@pytest.mark.parametrize("variable", ["SCHEDFRAME_ALLOW", "SCHEDFRAME_BLOCK"])
def test_a_variable_that_names_what_is_not_installed_is_an_error(monkeypatch, variable):
    monkeypatch.setenv(variable, "no-such-dist")
    for look in (list, lambda registry: registry["cosine"], lambda registry: registry.listing()):
        with pytest.raises(PluginError) as caught:
            look(lr_styles)
        assert str(caught.value) == (
            f"{variable} names 'no-such-dist', which is not installed; correct it, or install the distribution"
        )


@pytest.mark.parametrize("name", ["../../etc", "a b", "*", "é"])
def test_a_variable_with_an_impossible_name_is_the_same_error(monkeypatch, name):
    monkeypatch.setenv("SCHEDFRAME_BLOCK", name)
    with pytest.raises(PluginError, match="SCHEDFRAME_BLOCK names"):
        lr_styles["cosine"]


def test_schedframe_itself_cannot_be_blocked(monkeypatch):
    monkeypatch.setenv("SCHEDFRAME_BLOCK", "schedframe")
    assert lr_styles["cosine"] is Cosine


# Unknown names


def test_an_unknown_name_says_what_is_near_what_is_installed_and_what_to_do(monkeypatch):
    monkeypatch.setenv("SCHEDFRAME_ALLOW", "")
    with pytest.raises(UnknownStyleError) as caught:
        lr_styles["cosin"]
    assert str(caught.value) == (
        f"there is no LR style 'cosin'; did you mean 'cosine'? Installed: {', '.join(sorted(lr_styles.builtins))}. "
        "Other styles come from plugins: pip install the one that provides 'cosin'"
    )


@pytest.mark.parametrize(
    ("name", "near"),
    [("COSINE", "cosine"), ("Wsd", "WSD"), ("WDS", "WSD"), ("multistep", "multi-step"), ("minus-sqrt", "minus_sqrt")],
)
def test_the_nearest_name_is_offered_whatever_its_case(monkeypatch, name, near):
    monkeypatch.setenv("SCHEDFRAME_ALLOW", "")
    with pytest.raises(UnknownStyleError, match=re.escape(f"; did you mean {near!r}? ")):
        lr_styles[name]


def test_a_style_in_a_misspelt_group_names_its_distribution_and_the_group(install):
    install("acme-lost", curve("lost"), groups={"schedframe.lr_style": {"lost": "acme_lost_mod:Curve"}}, version="2.3")
    with pytest.raises(UnknownStyleError) as caught:
        lr_styles["lost"]
    assert str(caught.value) == (
        "there is no LR style 'lost'; acme-lost 2.3 has it, and its entry-point group is spelled schedframe.lr_style; "
        "write schedframe.lr_styles, and reinstall it"
    )


def test_a_style_of_a_plugin_of_this_repository_names_the_plugin(monkeypatch):
    monkeypatch.setattr(sys, "path", [path for path in sys.path if "site-packages" not in path])
    with pytest.raises(UnknownStyleError, match=r"'rex'; it comes from the plugin schedframe-rex: pip install"):
        lr_styles["rex"]


def test_a_plugin_name_is_among_the_near_ones(install):
    install("acme-near", curve("pluto-near"), lr_styles={"pluto-near": "acme_near_mod:Curve"})
    with pytest.raises(UnknownStyleError, match=r"did you mean 'pluto-near'\? Installed: .*pluto-near"):
        lr_styles["plutonear"]


def test_an_unusable_name_is_not_offered(install):
    install("acme-old", curve("saturn"), lr_styles={"saturn": "acme_old_mod:Curve"}, requires="schedframe<0.0.1")
    with pytest.raises(UnknownStyleError) as caught:
        lr_styles["satur"]
    assert "saturn" not in str(caught.value)


@pytest.mark.parametrize("name", ["", " cosine", "schedframe.styles.lr:Cosine", "os:system", "{message}", "x\ny"])
def test_an_odd_name_is_simply_unknown(name):
    with pytest.raises(UnknownStyleError, match="there is no LR style"):
        lr_styles[name]


def test_a_stale_copy_that_hides_a_style_is_named(install):
    fresh = install("acme-stale", curve("stale"), lr_styles={"stale": "acme_stale_mod:Curve"}, path="fresh")
    old = install("acme-stale", "", version="0.1", path="old")
    with pytest.raises(UnknownStyleError) as caught:
        lr_styles["stale"]
    assert str(caught.value).endswith(
        f". acme-stale is on the path 2 times ({old}, {fresh}); only the first is read, reinstall it"
    )


def test_two_copies_of_what_declares_nothing_of_ours_are_not_mentioned(install):
    install("acme-else", "", path="one")
    install("acme-else", "", path="two")
    with pytest.raises(UnknownStyleError) as caught:
        lr_styles["no-such-style"]
    assert "acme-else" not in str(caught.value)


@pytest.mark.parametrize("leftover", ["half_removed-1.0.dist-info", "~alf_removed-1.0.dist-info", "x.dist-info"])
def test_a_half_removed_distribution_on_the_path_disturbs_nothing(install, leftover):
    site = install("acme-tidy", curve("tidy"), lr_styles={"tidy": "acme_tidy_mod:Curve"})
    (site / leftover).mkdir()
    assert lr_styles["tidy"]
    assert "tidy" in lr_styles
    with pytest.raises(UnknownStyleError, match="there is no LR style 'tdy'"):
        lr_styles["tdy"]


def test_metadata_that_are_no_text_disturb_no_other_distribution(install):
    install("acme-tidy", curve("tidy"), lr_styles={"tidy": "acme_tidy_mod:Curve"})
    site = install("acme-bytes", curve("bytes"), lr_styles={"bytes": "acme_bytes_mod:Curve"})
    (site / "acme_bytes-1.0.dist-info" / "METADATA").write_bytes(b"Name: acme-bytes\nSummary: \xff\n")
    assert "bytes" not in lr_styles
    assert {"tidy", "cosine"} <= set(lr_styles)


@pytest.mark.parametrize("missing", ["Version: 1.0\n", "Summary: A plugin.\n"])
def test_a_distribution_that_says_little_of_itself_is_usable_and_disturbs_nothing(install, missing):
    site = install("acme-terse", curve("terse"), lr_styles={"terse": "acme_terse_mod:Curve"})
    metadata = site / "acme_terse-1.0.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text().replace(missing, ""))
    (row,) = (row for row in lr_styles.listing() if row.source.name == "terse")
    assert (row.fault, row.source.version, row.summary).count("") == 2
    assert row.source == source_of(lr_styles["terse"])
    assert {"terse", "cosine"} <= set(lr_styles)


# register


def make(name: str, factor: float = 1.0, qualname: str = "Made") -> type[LRCurve]:
    """A class, as a script or a notebook would write it."""

    class Made(LRCurve):
        style: Literal[name] = name

        def coefficient(self, progress: float) -> float:
            return factor * (1.0 - progress)

    Made.__qualname__ = qualname
    return Made


def test_a_registered_class_works_by_name():
    made = lr_styles.register(make("made-1"))
    assert lr_styles["made-1"] is made
    assert "made-1" in lr_styles
    assert "made-1" in list(lr_styles)
    assert Schedule(max_lr=1, lr_decay_steps=10, lr_decay_style="made-1").lr_at(5) == 0.5
    source = source_of(made)
    assert (source.name, source.distribution, source.version) == ("made-1", None, None)
    sha256 = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    assert (source.target, source.path, source.sha256) == (f"{__name__}:Made", __file__, sha256)
    assert str(source) == f"{__file__} (sha256 {sha256[:12]}…)"


def test_a_registered_class_of_a_script_has_no_digest():
    script = f"""
import schedframe
{curve("scripted")}
print(schedframe.source_of(schedframe.lr_styles.register(Curve)))
"""
    assert python(script) == "__main__:Curve\n"


def test_register_is_a_decorator():
    @lr_styles.register
    class Decorated(LRCurve):
        style: Literal["made-2"] = "made-2"

        def coefficient(self, progress: float) -> float:
            return 1.0

    assert lr_styles["made-2"] is Decorated


def test_a_registered_weight_decay_style_works():
    @wd_styles.register
    class Decorated(WDCurve):
        style: Literal["made-3"] = "made-3"

        def coefficient(self, progress: float) -> float:
            return progress

    assert wd_styles["made-3"] is Decorated


def test_registering_the_same_class_again_replaces_it():
    lr_styles.register(make("made-4"))
    second = lr_styles.register(make("made-4", factor=0.5))
    assert lr_styles["made-4"] is second
    assert lr_styles["made-4"]().coefficient(0.0) == 0.5


def test_another_class_of_a_registered_name_is_refused():
    lr_styles.register(make("made-5"))
    with pytest.raises(StyleConflictError) as caught:
        lr_styles.register(make("made-5", qualname="Other"))
    assert str(caught.value) == (
        f"LR style 'made-5' is already registered for {__name__}:Made; give {__name__}:Other another name"
    )


@pytest.mark.parametrize("name", ["cosine", "WSD", "1-sqrt", "wsd"])
def test_a_built_in_name_or_an_alias_cannot_be_registered(name):
    with pytest.raises(StyleConflictError) as caught:
        lr_styles.register(make(name))
    assert str(caught.value) == f"LR style {name!r} is built in; give {__name__}:Made a name of its own"
    assert lr_styles[name].__module__ == "schedframe.styles.lr"


def test_an_abstract_class_cannot_be_registered():
    class Half(LRCurve):
        style: Literal["half"] = "half"

    with pytest.raises(StyleLoadError, match="cannot be used: it does not implement coefficient"):
        lr_styles.register(Half)


def test_a_class_of_the_other_kind_cannot_be_registered():
    with pytest.raises(StyleLoadError, match=r"it is not a subclass of schedframe\.styles\.WDStyle"):
        wd_styles.register(make("made-6"))


@pytest.mark.parametrize("thing", [5, "cosine", Cosine(), lambda progress: 1.0])
def test_what_is_no_class_cannot_be_registered(thing):
    with pytest.raises(StyleLoadError, match=r"it is not a subclass of schedframe\.styles\.LRStyle"):
        lr_styles.register(thing)


def test_a_class_without_a_name_cannot_be_registered():
    class Nameless(LRCurve):
        style: Literal["nameless-2"]

        def coefficient(self, progress: float) -> float:
            return 1.0

    with pytest.raises(StyleLoadError, match="style"):
        lr_styles.register(Nameless)


def test_a_registered_name_that_is_also_installed_is_refused_when_asked_for(install, monkeypatch):
    install("acme-both", curve("both"), lr_styles={"both": "acme_both_mod:Curve"})
    made = lr_styles.register(make("both"))
    with pytest.raises(StyleConflictError) as caught:
        lr_styles["both"]
    assert "acme-both 1.0 (acme_both_mod:Curve)" in str(caught.value)
    assert f"{source_of(made)}, registered in this process" in str(caught.value)
    monkeypatch.setenv("SCHEDFRAME_BLOCK", "acme-both")
    assert lr_styles["both"] is made


def test_a_registered_style_is_no_affair_of_the_variables(monkeypatch):
    made = lr_styles.register(make("made-7"))
    monkeypatch.setenv("SCHEDFRAME_ALLOW", "")
    assert lr_styles["made-7"] is made
