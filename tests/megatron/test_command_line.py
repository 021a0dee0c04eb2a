"""What ``python -m schedframe.megatron`` passes on, and what it reads from flags that hold tables."""

import pytest

from schedframe import ConfigError
from schedframe.megatron.__main__ import parse
from schedframe.megatron._launch.file_and_flags import table_of

FLAG = "lr_decay_style_options"


@pytest.mark.parametrize("own", [["--", "a"], ["a", "--", "b", "--"], ["--lr", "1", "--import", "x"], []])
def test_the_script_gets_all_of_its_arguments(own):
    args = parse(["--import", "s.py", "pretrain.py", *own])
    assert (args.imports, args.script, args.arguments) == (["s.py"], "pretrain.py", own)


@pytest.mark.parametrize("text", ["{beta: 0.5}", "{beta:\n 0.5}", "beta: 0.5\n", "\n{beta: 0.5}\n", '{"beta": 0.5}'])
def test_a_table_of_options_may_have_several_lines(text):
    assert table_of(text, FLAG) == {"beta": 0.5}


@pytest.mark.parametrize("text", ["x\nbeta: 0.5", "{beta: 0.5}\nlr: 1", "{beta: 1, beta: 2}", "{beta: !!set {}}", ""])
def test_what_is_no_table_of_options_is_refused_whole(text):
    with pytest.raises(ConfigError, match="must be a table of options"):
        table_of(text, FLAG)
