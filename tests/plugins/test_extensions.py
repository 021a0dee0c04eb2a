"""What installed distributions add in one group of entry points: names, clashes, and what is not there."""

import pytest

from schedframe._errors import PluginError
from schedframe._plugins.extensions import Extensions

GROUP = "schedframe.loss_laws"


def accept(value: object, name: str) -> str:
    """Take a text alone."""
    if not isinstance(value, str):
        raise ValueError("it is no text")
    return f"{name}: {value}"


TEXTS = Extensions("text", GROUP, {"first": lambda: "built in"}, accept)


def test_names_are_the_built_in_ones_then_the_installed_ones(install) -> None:
    install("some-texts", "B = 'b'\nA = 'a'\n", groups={GROUP: {"b": "some_texts_mod:B", "a": "some_texts_mod:A"}})
    assert (list(TEXTS), len(TEXTS)) == (["first", "a", "b"], 3)
    assert (TEXTS["first"], TEXTS["a"]) == ("built in", "a: a")


def test_a_name_that_two_distributions_provide_is_refused_with_both(install) -> None:
    for name in ("one-text", "other-text"):
        install(name, "A = 'a'\n", groups={GROUP: {"a": f"{name.replace('-', '_')}_mod:A"}})
    with pytest.raises(PluginError, match=r"the text 'a' is provided more than once: .*one-text.*; .*other-text"):
        TEXTS["a"]


def test_an_unknown_name_is_answered_with_a_close_one() -> None:
    with pytest.raises(PluginError, match=r"there is no text 'frist'; did you mean 'first'\? Installed: first"):
        TEXTS["frist"]


def test_what_is_not_accepted_is_refused_with_its_distribution(install) -> None:
    install("some-texts", "A = 1\n", groups={GROUP: {"a": "some_texts_mod:A"}})
    with pytest.raises(PluginError, match=r"the text 'a' from .*some-texts.* cannot be used: it is no text; repair"):
        TEXTS["a"]
