"""Ranks that do not run the same: what each of them says, on four real ones."""

import re
import shutil
import textwrap
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import schedframe

pytest.importorskip("torch")

CASES: dict[str, dict[str, Any]] = {
    "all are equal": {},
    "all are at step 0": {"num_steps": dict.fromkeys("0123", 0)},
    "an int where the others have the float": {"changes": {"1": {"max_lr": 1, "lr_decay_steps": 110.0}}},
    "what has no effect differs": {
        "changes": {
            "0": {"lr_warmup_steps": 0, "init_lr": 0.5},
            **{rank: {"lr_warmup_steps": 0, "init_lr": 0.0} for rank in "123"},
        }
    },
    "a group without the one that differs": {"changes": {"2": {"max_lr": 0.5}}, "members": [0, 1, 3]},
    "a group of the one that differs": {"changes": {"2": {"max_lr": 0.5}}, "members": [2]},
    "a group with the one that differs": {"changes": {"2": {"max_lr": 0.5}}, "members": [1, 2, 3]},
    "one has another peak": {"changes": {"2": {"max_lr": 0.5}}},
    "one has other styles": {"changes": {"3": {"lr_decay_style": "cosine", "wd_incr_style": "linear"}}},
    "one has another tail": {
        "changes": {"1": {"lr_decay_style": {"style": "WSD", "wsd_decay_steps": 30, "lr_wsd_decay_style": "cosine"}}}
    },
    "one leaves weight decay alone": {"changes": {"0": {"start_wd": None, "end_wd": None}}},
    "one starts later": {"changes": {"3": {"start_step": 20}}},
    "one is elsewhere": {"num_steps": {"1": 7}},
    "all are elsewhere": {"num_steps": {"1": 7, "2": 60, "3": 60}},
    "two against two": {"changes": {"1": {"max_lr": 0.5}, "3": {"max_lr": 0.5}}},
    "each is alone": {"changes": {"1": {"max_lr": 0.5}, "2": {"max_lr": 0.7}, "3": {"max_lr": 0.9}}},
    "one differs in two ways": {"changes": {"2": {"max_lr": 0.5}}, "num_steps": {"2": 7}},
}
PASS = tuple(CASES)[:6]
REFUSED = {
    "one has another peak": (
        "rank 2 runs another schedule (fingerprint F) than ranks 0, 1 and 3 (fingerprint F): "
        "max_lr 0.5 instead of 1.0; give every rank the same config"
    ),
    "one has other styles": (
        "rank 3 runs another schedule (fingerprint F) than ranks 0 to 2 (fingerprint F): "
        "lr_decay_style cosine instead of WSD(wsd_decay_steps=30, lr_wsd_decay_style=minus_sqrt), "
        "wd_incr_style linear instead of cosine; give every rank the same config"
    ),
    "one has another tail": (
        "rank 1 runs another schedule (fingerprint F) than ranks 0, 2 and 3 (fingerprint F): "
        "lr_decay_style WSD(wsd_decay_steps=30, lr_wsd_decay_style=cosine) "
        "instead of WSD(wsd_decay_steps=30, lr_wsd_decay_style=minus_sqrt); give every rank the same config"
    ),
    "one leaves weight decay alone": (
        "rank 0 runs another schedule (fingerprint F) than ranks 1 to 3 (fingerprint F): "
        "start_wd None instead of 0.1, end_wd None instead of 0.2; give every rank the same config"
    ),
    "one starts later": (
        "rank 3 runs another schedule (fingerprint F) than ranks 0 to 2 (fingerprint F): "
        "start_step 20 instead of 0; give every rank the same config"
    ),
    "one is elsewhere": (
        "rank 1 is at num_steps 7, ranks 0, 2 and 3 are at num_steps 40; load the same checkpoint on every rank"
    ),
    "all are elsewhere": (
        "rank 0 is at num_steps 40, rank 1 is at num_steps 7, ranks 2 and 3 are at num_steps 60; "
        "load the same checkpoint on every rank"
    ),
    "two against two": (
        "ranks 1 and 3 run another schedule (fingerprint F) than ranks 0 and 2 (fingerprint F): "
        "max_lr 0.5 instead of 1.0; give every rank the same config"
    ),
    "each is alone": (
        "the ranks differ in 3 ways:\n"
        "  rank 1 runs another schedule (fingerprint F) than rank 0 (fingerprint F): "
        "max_lr 0.5 instead of 1.0; give every rank the same config\n"
        "  rank 2 runs another schedule (fingerprint F) than rank 0 (fingerprint F): "
        "max_lr 0.7 instead of 1.0; give every rank the same config\n"
        "  rank 3 runs another schedule (fingerprint F) than rank 0 (fingerprint F): "
        "max_lr 0.9 instead of 1.0; give every rank the same config"
    ),
    "one differs in two ways": (
        "the ranks differ in 2 ways:\n"
        "  rank 2 runs another schedule (fingerprint F) than ranks 0, 1 and 3 (fingerprint F): "
        "max_lr 0.5 instead of 1.0; give every rank the same config\n"
        "  rank 2 is at num_steps 7, ranks 0, 1 and 3 are at num_steps 40; load the same checkpoint on every rank"
    ),
}

Said = list[dict[str, Any]]


@pytest.fixture(scope="module")
def said(world: Callable[..., Said], run: dict[str, Any]) -> Said:
    """Return by rank what it said in each case; all cases go through one world, so none leaves it unusable."""
    return world("verify", 4, run=run, cases=CASES)


def refusals(said: Said, case: str) -> list[str]:
    return [own[case]["refusal"] for own in said]


@pytest.mark.parametrize("case", PASS)
def test_ranks_that_run_the_same_pass(said: Said, case: str) -> None:
    assert refusals(said, case) == [""] * 4


@pytest.mark.parametrize("case", REFUSED)
def test_ranks_that_differ_are_refused_on_all_ranks_with_the_same_text(said: Said, case: str) -> None:
    texts = refusals(said, case)
    assert texts == [texts[0]] * 4
    assert re.sub(r"\b[0-9a-f]{16}\b", "F", texts[0]) == REFUSED[case]


def test_both_fingerprints_are_reported(said: Said) -> None:
    own = [rank["one has another peak"] for rank in said]
    fingerprints = re.findall(r"\b[0-9a-f]{16}\b", own[0]["refusal"])
    assert len(set(fingerprints)) == 2
    assert fingerprints[0] in own[2]["state"]["schedframe"]
    assert fingerprints[1] in own[0]["state"]["schedframe"]


def test_the_ranks_of_a_group_have_their_global_numbers_and_the_others_say_nothing(said: Said) -> None:
    outside, *members = refusals(said, "a group with the one that differs")
    assert outside == ""
    assert members == [members[0]] * 3
    assert members[0].startswith("rank 2 runs another schedule")
    assert " than ranks 1 and 3 " in members[0]


def test_the_state_is_the_same_on_every_rank(said: Said) -> None:
    states = [own["all are equal"]["state"] for own in said]
    assert states[0]["num_steps"] == 40
    assert states == [states[0]] * 4


PLUGIN = """
    from typing import Literal
    from schedframe.styles import LRCurve, WDCurve

    class Bend(LRCurve):
        style: Literal["bend"] = "bend"
        def coefficient(self, progress):
            return 1.0 - progress**2

    class Rise(WDCurve):
        style: Literal["rise"] = "rise"
        def coefficient(self, progress):
            return progress
    """


def other_version(style: str, target: str) -> str:
    return (
        f"{style}: rank 2 has bends 0.2.0 ({target}), ranks 0, 1 and 3 have bends 0.1.0 ({target}); "
        "install the same versions on every rank"
    )


def test_a_rank_with_another_version_of_a_plugin_is_named_with_both_versions(world, run, install) -> None:
    styles = {"lr_styles": {"bend": "bends_mod:Bend"}, "wd_styles": {"rise": "bends_mod:Rise"}}
    old, new = (
        str(install("bends", PLUGIN, **styles, version=version, path=version)) for version in ("0.1.0", "0.2.0")
    )
    bend = {"lr_decay_style": "bend"}
    tail = {"lr_decay_style": {"style": "WSD", "wsd_decay_steps": 30, "lr_wsd_decay_style": "bend"}}
    both = {"lr_decay_style": "bend", "wd_incr_style": "rise"}
    cases = {
        "its style": {"path": {**dict.fromkeys("0123", old), "2": new}, "changes": dict.fromkeys("0123", bend)},
        "its style as a cooldown": {"changes": dict.fromkeys("0123", tail)},
        "two of its styles": {"changes": dict.fromkeys("0123", both)},
        "none of its styles": {},
    }
    said = world("verify", 4, run=run, cases=cases)
    bend_differs = other_version("lr_style 'bend'", "bends_mod:Bend")
    rise_differs = other_version("wd_style 'rise'", "bends_mod:Rise")
    expected = {
        "its style": bend_differs,
        "its style as a cooldown": other_version("lr_style.lr_wsd_decay_style 'bend'", "bends_mod:Bend"),
        "two of its styles": f"the ranks differ in 2 ways:\n  {bend_differs}\n  {rise_differs}",
        "none of its styles": "",
    }
    for case, text in expected.items():
        assert refusals(said, case) == [text] * 4


ONE_OFF = textwrap.dedent(PLUGIN) + "import schedframe\nschedframe.lr_styles.register(Bend)\n"


@pytest.fixture
def imported(world: Callable[..., Said], run: dict[str, Any], tmp_path: Path) -> Callable[..., Said]:
    """Return what ranks say that import a file of this content each, from a path of its own, and run its style."""

    def imported(*contents: str) -> tuple[list[str], Said]:
        files = [tmp_path / f"{rank}" / "bends.py" for rank, _ in enumerate(contents)]
        for file, content in zip(files, contents, strict=True):
            file.parent.mkdir(exist_ok=True)
            file.write_text(content)
        by_rank = {str(rank): str(file) for rank, file in enumerate(files)}
        case = {"import": by_rank, "changes": {rank: {"lr_decay_style": "bend"} for rank in by_rank}}
        said = world("verify", len(files), run=run, cases={"only": case})
        return [f"{file} (sha256 {sha256(file.read_bytes()).hexdigest()[:12]}…)" for file in files], said

    return imported


def test_a_file_with_the_same_content_may_lie_elsewhere_on_each_rank(imported) -> None:
    _, said = imported(ONE_OFF, ONE_OFF)
    assert refusals(said, "only") == ["", ""]
    assert said[0]["only"]["state"] == said[1]["only"]["state"]
    assert '"target": "bends.py:Bend"' in said[0]["only"]["state"]["schedframe"]


def test_a_rank_with_another_content_of_a_file_is_named_with_both(imported) -> None:
    files, said = imported(ONE_OFF, ONE_OFF + "# edited on one node only\n", ONE_OFF)
    text = f"lr_style 'bend': rank 1 has {files[1]}, ranks 0 and 2 have {files[0]}; give every rank the same file"
    assert refusals(said, "only") == [text] * 3


def test_a_rank_with_another_version_of_schedframe_is_named_with_both_versions(world, run, tmp_path: Path) -> None:
    package = Path(schedframe.__file__).parent
    shutil.copytree(package, tmp_path / "schedframe", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "schedframe" / "_version.py").write_text('__version__ = "0.99.0"\n')
    said = world("verify", 4, run=run, cases={"one is newer": {"path": {"1": str(tmp_path)}}})
    text = (
        f"rank 1 has schedframe 0.99.0, ranks 0, 2 and 3 have schedframe {schedframe.__version__}; "
        "install the same versions on every rank"
    )
    assert refusals(said, "one is newer") == [text] * 4
