"""The lines for trainers on FSDP, on the page of other frameworks: on what is installed of them without their needs."""

import ast
import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
import torch

import schedframe
from tests.adapters import one_file, pages

PAGE = pages.PAGES / "use-in-other-frameworks.md"


def lines(name: str) -> str:
    """Return the lines that the page shows."""
    found = re.search(rf"<!-- tried: {name} -->\n```[^\n]*\n(.*?)\n```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def test_the_engine_of_verl_has_what_the_lines_name() -> None:
    """Its module needs more than a schedule does, so it is read and not imported."""
    if importlib.util.find_spec("verl") is None:
        pytest.skip("needs verl: make adapters")
    package = Path(importlib.util.find_spec("verl").submodule_search_locations[0])
    source = (package / "workers" / "engine" / "fsdp" / "transformer_impl.py").read_text()
    [engine] = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and node.name == "FSDPEngine"]
    methods = {node.name: node for node in engine.body if isinstance(node, ast.FunctionDef)}
    build = methods["_build_lr_scheduler"]
    assert [argument.arg for argument in build.args.args] == ["self", "optimizer"]
    assert "self.optimizer_config" in ast.unparse(build)
    assert "total_training_steps" in ast.unparse(build)
    assert "self._build_lr_scheduler(optimizer)" in ast.unparse(methods["_build_model_optimizer"])
    step = ast.unparse(methods["lr_scheduler_step"])
    assert "self.lr_scheduler.step()" in step
    assert "self.lr_scheduler.get_last_lr()[0]" in step
    assert "_build_lr_scheduler" in lines("verl, FSDP")


def test_automodel_steps_the_schedule_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = pytest.importorskip(
        "nemo_automodel.components.optim.optimizer", reason="needs nemo-automodel: make adapters"
    )
    monkeypatch.chdir(tmp_path)
    schedule = schedframe.load(one_file.write_file(tmp_path, one_file.FILE + "clock: iters\n"))
    exec(compile(lines("automodel, a file"), "page", "exec"))
    groups = schedule.param_groups(one_file.Net())
    optimizer = torch.optim.AdamW(groups, lr=1.0, weight_decay=0.1)
    schedulers = module.LRSchedulerConfig().build([optimizer], None)
    values = []
    for _ in range(one_file.UPDATES):
        values.append(one_file.values_of(optimizer))
        for scheduler in schedulers:
            scheduler.step(1)
    expected = schedframe.load(one_file.write_file(tmp_path))
    assert values == one_file.expected(expected.param_groups(one_file.Net()), expected)
