"""``schedframe conform``: the kit on what is installed, and its exit codes."""

import json
import subprocess
import sys

import pytest

from schedframe.testing import CHECKS

from ..runs import cli

pytest.importorskip("jsonschema")


def conform(*arguments: str) -> tuple[int, str, str]:
    return cli("conform", *arguments)


def test_a_style_that_conforms() -> None:
    code, out, err = conform("{style: polynomial, power: 3}")
    assert (code, err) == (0, "")
    assert out.splitlines()[0].startswith("polynomial(power=3) (LR) from schedframe ")
    assert out.splitlines()[1:] == [f"  {len(CHECKS)} of {len(CHECKS)} checks pass"]


def test_a_name_of_both_kinds_is_both_unless_one_is_asked_for() -> None:
    for arguments, kinds in ((("cosine",), ["LR", "WD"]), (("cosine", "--kind", "wd"), ["WD"])):
        code, out, _ = conform(*arguments, "--format", "json")
        assert code == 0
        assert [style["kind"] for style in json.loads(out)["styles"]] == kinds


def test_a_style_that_does_not_conform_is_reported_check_by_check() -> None:
    code, out, _ = conform("{style: WSD, wsd_decay_steps: 2000}")
    assert code == 1
    assert "  check_start: it starts at " in out
    assert "no schedule can be made of it: " in out
    assert out.splitlines()[-1] == f"  {len(CHECKS) - 3} of {len(CHECKS)} checks pass"


def test_findings_are_exit_code_1_of_the_process() -> None:
    command = [sys.executable, "-m", "schedframe", "conform", "{style: WSD, wsd_decay_steps: 2000}", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "")
    (style,) = json.loads(done.stdout)["styles"]
    findings = {check["name"] for check in style["checks"] if check["finding"]}
    assert findings == {"check_start", "check_group_bounds", "check_resume"}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("nix", "there is no LR style 'nix'"),
        ("WSD", "WSD: wsd_decay_steps: missing required key"),
        ("{style: polynomial, power: -1}", "power = -1: must be above 0"),
        ("[1]", "must be the name of a style, or a table with a `style` key"),
        ("{style: [}", "style.yaml"),
    ],
)
def test_what_is_no_style_is_reported_with_exit_code_2(asked: str, told: str) -> None:
    code, out, err = conform(asked)
    assert (code, out) == (2, "")
    assert told in err
