"""Shell scripts as people write them; what bash itself expands them to is imported too, and must be the same."""

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from schedframe import ConfigError
from schedframe.importers import _run, _source

from ..runs import cli
from .imports import imported


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


FLAGS = "--lr 3e-4 --min-lr 3e-5 --lr-decay-style cosine --train-iters 400 --lr-warmup-iters 20 --global-batch-size 8"

SAME: dict[str, str] = {
    "a command in a variable, for bash -c": f"""
CMD="python $ROOT/pretrain_gpt.py {FLAGS}"
srun --nodes 2 bash -c "cd /tmp; NAME=1 $CMD"
""",
    "a here-document for sbatch": f"""
ROOT=/models
ARGS="{FLAGS}"
sbatch --nodes 2 <<EOF
#!/bin/bash
#SBATCH --job-name=lr
torchrun --nnodes \\$NODES $ROOT/pretrain_gpt.py $ARGS --seed 1
EOF
""",
    "a quoted here-document with variables of its own": f"""
sbatch <<'EOF'
PEAK=1e-3
torchrun pretrain_gpt.py {FLAGS} --lr $PEAK
EOF
""",
    "words that are added under a condition": f"""
ARGS=({FLAGS})
TEXT="--seed 1"
if [ -n "$WANDB" ]; then
    ARGS+=(--wandb-project "a b" --wandb-name $NAME)
    TEXT="$TEXT --wandb"
fi
[ -z "$MOCK" ] || ARGS+=(--mock-data)
torchrun pretrain_gpt.py "${{ARGS[@]}}" $TEXT
""",
    "a condition with both branches": f"""
if [ "$MODE" = fp8 ]; then
    PRECISION="--fp8-format hybrid"
else
    PRECISION=(--bf16 --grad-reduce-in-bf16)
fi
torchrun pretrain_gpt.py ${{PRECISION[@]}} {FLAGS}
""",
    "a value that is the same in both branches": f"""
WIDTH=16
if [ "$MODE" = big ]; then WIDTH=16; SIZE=12; fi
torchrun pretrain_gpt.py {FLAGS} --global-batch-size $WIDTH --num-layers $SIZE
""",
    "flags that depend on whether a variable is set": f"""
torchrun pretrain_gpt.py {FLAGS} ${{PIPELINE:+--pipeline-model-parallel-size "$PIPELINE"}}
""",
    "an alternative of a variable that is set": f"""
STYLE=linear NONE=""
torchrun pretrain_gpt.py {FLAGS} ${{STYLE:+--lr-decay-style $STYLE}} ${{NONE:+--lr 5}}
""",
    "options of the script itself": f"""
while [ $# -gt 0 ]; do
    case "$1" in
        --train-iters) ITERS="$2"; shift 2 ;;
        --lr|--peak) PEAK="$2"; shift 2 ;;
        *) shift ;;
    esac
done
torchrun pretrain_gpt.py {FLAGS} --train-iters 500
""",
    "an argument of the script with a default": f"""
SIZE=${{1:-8}}
torchrun pretrain_gpt.py {FLAGS} --global-batch-size $SIZE --min-lr ${{2:-1e-6}}
""",
    "a loop that adds data": f"""
DATA=""
for part in a b c; do DATA="$DATA --data-path $part"; done
torchrun pretrain_gpt.py {FLAGS} $DATA
""",
    "the same command twice": f"""
if [ "$NSYS" = 1 ]; then
    nsys profile torchrun pretrain_gpt.py {FLAGS} --profile
else
    torchrun pretrain_gpt.py {FLAGS}
fi
""",
    "a value of several lines": f"""
torchrun pretrain_gpt.py --note "first
--lr 5
it's \\"last\\"" {FLAGS}
""",
    "a command that only prints its words": f"""
echo torchrun pretrain_gpt.py --lr 1
torchrun pretrain_gpt.py {FLAGS}
""",
    "flags in words of a command that does nothing": f"""
: '
torchrun pretrain_gpt.py {FLAGS} --lr 1
'
torchrun pretrain_gpt.py {FLAGS} --run-name=$NAME
""",
    "variables of a subshell, a pipe and a background job": f"""
PEAK=1e-4
(cd /tmp; PEAK=2e-4)
PEAK=3e-4 | cat
PEAK=4e-4 &
torchrun pretrain_gpt.py {FLAGS} --lr $PEAK
""",
    "a function that is called behind what it uses": f"""
PEAK=1e-4
run() {{
    local STYLE=linear
    torchrun pretrain_gpt.py {FLAGS} --lr $PEAK --lr-decay-style $STYLE "$@"
}}
function choose {{ PEAK=5e-4; }}
function finish() {{ PEAK=7e-4; return; }}
PEAK=2e-4
choose
run --min-lr 1e-6 | tee log.txt
finish
""",
    "a function with arguments": f"""
run()
{{
    SIZE=$1 RATE=${{2:-1}} LEAST=${{3:-1e-6}}
    shift
    torchrun pretrain_gpt.py {FLAGS} --global-batch-size $SIZE --lr $RATE --min-lr $LEAST --seed $#
}}
run 16 2e-4
""",
    "a function that is not called": f"""
PEAK=1e-4
change() {{ PEAK=2e-4; }}
torchrun pretrain_gpt.py {FLAGS} --lr $PEAK
""",
    "arguments that the script sets": f"""
set -e -- --min-lr 1e-6 --lr 1e-4
shift 2
torchrun pretrain_gpt.py {FLAGS} "$@"
""",
    "a default that is assigned": f"""
: "${{PEAK:=1e-4}}"
torchrun pretrain_gpt.py {FLAGS} --lr ${{PEAK:-2e-4}}
""",
    "quoted assignments of export": f"""
PEAK=1e-4
export PEAK=2e-4 LEAST=$PEAK "SIZE=16"
torchrun pretrain_gpt.py {FLAGS} --lr $PEAK --min-lr $LEAST --global-batch-size $SIZE
""",
    "a constant": f"""
readonly PEAK=1e-4
PEAK=2e-4
torchrun pretrain_gpt.py {FLAGS} --lr $PEAK
""",
    "a variable that is unset": f"""
PEAK=1e-4
unset PEAK
torchrun pretrain_gpt.py {FLAGS} --lr ${{PEAK:-2e-4}}
""",
    "the first item of an array": f"""
RATES=(1e-4 2e-4)
RATES=3e-4
torchrun pretrain_gpt.py {FLAGS} --lr ${{RATES[0]}} --min-lr $RATES
""",
    "a value of a flag that looks like flags": f"""
torchrun pretrain_gpt.py {FLAGS} --note 'was --lr 1e-4' --name="--lr 5 --lr 6"
""",
    "commands behind those of bash -c": f"""
srun bash -c "PEAK=1e-4
torchrun pretrain_gpt.py {FLAGS} --lr \\$PEAK --note 'a --lr 3' # --lr 4
echo --lr 5"
""",
    "a variable that another shell does not have": f"""
PEAK=1e-4 LEAST=1e-6
export LEAST
sbatch <<'EOF'
torchrun pretrain_gpt.py {FLAGS} --lr ${{PEAK:-2e-4}} --min-lr ${{LEAST:-1e-7}}
EOF
""",
    "variables of a here-document": f"""
PEAK=1e-4
sbatch <<EOF
PEAK=2e-4
torchrun pretrain_gpt.py {FLAGS} --lr $PEAK --min-lr \\${{LEAST:-1e-7}}
EOF
""",
    "what eval sets": f"""
PEAK=1e-4
eval PEAK=2e-4
CMD="torchrun pretrain_gpt.py {FLAGS} --lr $PEAK"
eval "$CMD --seed 1"
""",
    "a redirection within a command": f"""
torchrun pretrain_gpt.py {FLAGS} &> log.txt --lr 1e-4 >| other.txt --min-lr 1e-6
""",
    "commands behind exit": f"""
torchrun pretrain_gpt.py {FLAGS}
exit
torchrun pretrain_gpt.py {FLAGS} --lr 1
""",
    "a case on one line": f"""
PEAK=1e-4
case $MODE in (a) PEAK=1e-4 ;; (b|c) SIZE=2 ;; esac
torchrun pretrain_gpt.py {FLAGS} --lr $PEAK
""",
    "a condition on a number": f"""
SIZE=16
if (( SIZE > 8 )); then echo; fi
printf 'SIZE is %s' $SIZE
torchrun pretrain_gpt.py {FLAGS} --global-batch-size $SIZE
""",
    "a function within a subshell, and assignments in words": f"""
PEAK=1e-4
change() {{ PEAK=2e-4; }}
(change)
command export PEAK=3e-4
NAME=PEAK
declare "$NAME=4e-4"
torchrun pretrain_gpt.py {FLAGS} --lr $PEAK
""",
    "a variable that is no longer exported": f"""
export PEAK=1e-4 LEAST=1e-6
export -n PEAK
srun bash -c 'torchrun pretrain_gpt.py {FLAGS} --lr ${{PEAK:-2e-4}} --min-lr ${{LEAST:-0}} --seed $1' train 7
""",
    "the same command in a variable": f"""
if [ "$DEBUG" = 1 ]; then
    torchrun pretrain_gpt.py {FLAGS}
else
    CMD="torchrun pretrain_gpt.py {FLAGS} --profile"
fi
[ "$DEBUG" != 1 ] && srun bash -c "$CMD"
""",
    "an array in a here-document": f"""
ARGS=(--seed 1 --note "a --lr 3" --bf16)
sbatch <<EOF
torchrun pretrain_gpt.py {FLAGS} ${{ARGS[@]}} --min-lr 1e-6 ${{ARGS[*]}}
EOF
bash -c "torchrun pretrain_gpt.py {FLAGS} --min-lr 1e-6 ${{ARGS[*]}}"
""",
    "a here-document that is piped to a shell": f"""
PEAK=1e-4
cat <<EOF | sbatch --nodes 2
torchrun pretrain_gpt.py {FLAGS} --lr $PEAK
EOF
""",
    "quotes within a default": f"""
torchrun pretrain_gpt.py {FLAGS} --lr ${{PEAK:-1"e"-4}} --lr-decay-style "${{STYLE:-"linear"}}" --min-lr ${{LR-'0'}}
""",
    "the ends of here-documents": f"""
PEAK=1e-4
cat <<"END OF" > /dev/null
PEAK=2e-4
END OF
sbatch <<'EOF'x
PEAK=3e-4
EOFx
torchrun pretrain_gpt.py {FLAGS} --lr ${{PEAK:?is needed}}
""",
    "a path with a part that is not known": f"""
torchrun pretrain_gpt.py $(date +%s).txt --log-progress $HOME/logs {FLAGS}
""",
}


def of_bash(script: Path) -> dict[str, Any]:
    """Return the keys that are imported of what ``bash -x`` prints of a script, whose programs do nothing."""
    programs = script.parent / "programs"
    programs.mkdir()
    for name, line in {
        "torchrun": "",
        "nsys": "",
        "date": "echo 17",
        "python": "",
        "sbatch": "exec /bin/bash -x",
        "srun": 'while [ "$1" != bash ]; do shift; done\nshift 2\nexec /bin/bash -x -c "$@"',
    }.items():
        (programs / name).write_text(f"#!/bin/bash\n{line}\n")
        (programs / name).chmod(0o755)
    environment = {"PATH": f"{programs}{os.pathsep}{os.defpath}", "HOME": "/home/someone"}
    done = subprocess.run(
        ["/bin/bash", "-x", str(script)], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    trace = done.stderr[done.stderr.index("+") :]
    return _run.import_source(_source.read(Path("trace.txt"), {}, trace), "megatron", {}).keys


@pytest.mark.skipif(not Path("/bin/bash").exists(), reason="needs bash")
@pytest.mark.parametrize("name", SAME)
def test_a_script_gives_what_bash_makes_of_it(name: str, tmp_path: Path) -> None:
    (tmp_path / "train.sh").write_text(SAME[name])
    assert imported(tmp_path / "train.sh").keys == of_bash(tmp_path / "train.sh")


HELD = {
    "a flag under a condition": (
        f'ARGS="{FLAGS}"\nif [ $BIG = 1 ]; then\n  ARGS="$ARGS --lr 1e-4"\nfi\ntorchrun pretrain_gpt.py $ARGS\n',
        "line 4: $ARGS is set within the `if` on line 3, which is not evaluated; it may hold --lr; give it with "
        "--set ARGS=VALUE",
    ),
    "a flag in one branch": (
        f"if [ $BIG = 1 ]; then\n  A=(--bf16)\nelse\n  A=(--min-lr 0)\nfi\ntorchrun x.py {FLAGS} ${{A[@]}}\n",
        "it may hold --min-lr",
    ),
    "a variable within a condition": (
        f"if [ $BIG = 1 ]; then\n  A=$B\nfi\ntorchrun x.py {FLAGS} $A\n",
        "it may hold flags; give it with --set A=VALUE",
    ),
    "a value under a condition": (
        f"LR=1\ncase $SIZE in\n  7B) LR=2 ;;\nesac\ntorchrun x.py {FLAGS} --lr $LR\n",
        "--lr: has the value $LR, which is set within the `case` on line 3, which is not evaluated; give it with "
        "--set LR=VALUE",
    ),
    "a loop over values": (
        f"for LR in 1e-4 2e-4; do\n  torchrun x.py {FLAGS} --lr $LR\ndone\n",
        "--lr: has the value $LR, which is the variable of the loop on line 2; give it with --set LR=VALUE",
    ),
    "arguments of the script": (
        f"PEAK=$2\ntorchrun x.py {FLAGS} --train-iters $1 --lr $PEAK\n",
        "--lr: has the value $2, which is an argument of the script; give it with --set 2=VALUE",
    ),
    "a value that a command computes": (
        f'torchrun x.py {FLAGS} --min-lr $(echo "1 / 10" | bc -l)\n',
        "which is the output of a command, and no command is run; give it with --set min_lr=VALUE",
    ),
    "flags that depend on a variable": (
        f"torchrun x.py {FLAGS} ${{PEAK:+--lr $PEAK}}\n",
        "$PEAK is not set in the file; it may hold --lr; give it with --set PEAK=VALUE",
    ),
    "a value behind = that a command computes": (
        f"torchrun x.py {FLAGS} --min-lr=$(compute)\n",
        "line 2, --min-lr: has the value $(compute), which is the output of a command",
    ),
    "a name of a flag that is known in part": (
        f"torchrun x.py {FLAGS} --min-$NAME 0\n",
        "--min-$NAME is not set in the file; it may be a flag of the schedule",
    ),
    "a flag behind what is not known": (
        f"torchrun x.py {FLAGS} $EXTRA--lr 1e-4\n",
        "$EXTRA is not set in the file; it may be a flag of the schedule",
    ),
    "flags under a condition behind another flag": (
        f"if [ $BIG = 1 ]; then\n  A='--min-lr 0'\nfi\ntorchrun x.py {FLAGS} --bf16 $A\n",
        "it may hold --min-lr; give it with --set A=VALUE",
    ),
    "an argument within arithmetic": (
        f"set -- 7\ntorchrun x.py {FLAGS} --lr-warmup-iters $(($1 * 2))\n",
        "--lr-warmup-iters: has the value $(($1 * 2))",
    ),
    "a variable that arithmetic changes": (
        f"N=5\necho $((N++))\ntorchrun x.py {FLAGS} --lr-warmup-iters $N\n",
        "--lr-warmup-iters: has the value $N, which is changed on line 3",
    ),
    "an item of an array": (
        f"A=(--lr 1)\nA[1]=2\ntorchrun x.py {FLAGS} ${{A[@]}}\n",
        "$A is an array of which items are set one by one; it may hold flags",
    ),
    "a table": (
        f"declare -A A=([a]=--lr=1)\ntorchrun x.py {FLAGS} ${{A[@]}}\n",
        "$A is an array of which items are set one by one",
    ),
    "a declared integer": (
        f"declare -i N\nN=3*4\ntorchrun x.py {FLAGS} --lr-warmup-iters $N\n",
        "which is declared so that its value is not read",
    ),
    "an alternative of an unknown variable": (
        f"A=$(compute)\ntorchrun x.py {FLAGS} ${{A:+--lr 1}}\n",
        "$A is not known; it may hold --lr",
    ),
    "a variable that is read": (
        f"read A < file\ntorchrun x.py {FLAGS} --lr ${{A:-1}}\n",
        "which is changed on line 2 by a command that is not run",
    ),
    "a variable that changes within a loop": (
        f"A=1\nfor i in 1 2; do\n  torchrun x.py {FLAGS} --lr $A\n  A=2\ndone\n",
        "which is set within the `for` on line 3",
    ),
    "words that IFS divides": (
        f"IFS=,\nA=--seed,1\ntorchrun x.py {FLAGS} $A\n",
        "$A is divided at IFS, which is not read; it may hold flags",
    ),
    "a brace expansion": (
        f"torchrun x.py {FLAGS} --{{min-lr,lr}}=1\n",
        "is a brace expansion, which is not read; it may be a flag",
    ),
    "a function under a condition": (
        f"A=1\nf() {{ A=2; }}\n[ $B ] && f\ntorchrun x.py {FLAGS} --lr $A\n",
        "is set within the `condition` on line 4",
    ),
    "a function that may return": (
        f"A=1\nf() {{\n  [ $B ] && return\n  A=2\n}}\nf\ntorchrun x.py {FLAGS} --lr $A\n",
        "is set within the `condition` on line 4",
    ),
    "a command under a condition, beside another": (
        f"if [ $B ]; then\n  A='torchrun x.py {FLAGS} --lr 1'\nfi\nbash -c \"$A\"\ntorchrun x.py {FLAGS}\n",
        "has 2 commands with flags of Megatron (lines: 5 and 6)",
    ),
    "two commands for bash -c": (
        f'bash -c "torchrun x.py {FLAGS} && torchrun x.py {FLAGS} --lr 1"\n',
        "has 2 commands with flags of Megatron",
    ),
    "a function that may be undone": (
        f"A=1\nf() {{ A=2; }}\nunset -f f\nf\ntorchrun x.py {FLAGS} --lr $A\n",
        "is set within the `condition` on line 5",
    ),
    "a function that may not be defined": (
        f"A=1\nif [ $B ]; then\n  f() {{ A=2; }}\nfi\nf\ntorchrun x.py {FLAGS} --lr $A\n",
        "is set within the `condition` on line 6",
    ),
    "another name of a variable": (
        f"A=1\ndeclare -n B=A\nB=2\ntorchrun x.py {FLAGS} --lr $A\n",
        "which is changed on line 3",
    ),
    "a name in a variable that is read": (
        f"A=1\nB=A\nread $B < file\ntorchrun x.py {FLAGS} --lr $A\n",
        "which is changed on line 4",
    ),
    "a constant under a condition": (
        f"A=1\n[ $B ] && readonly A\nA=2\ntorchrun x.py {FLAGS} --lr $A\n",
        "which is declared so that its value is not read",
    ),
    "a variable that may be exported": (
        f"A=1\n[ $B ] && export A\nbash -c 'torchrun x.py {FLAGS} --lr ${{A:-2}}'\n",
        "$A, which is perhaps not exported to the shell that uses it",
    ),
    "a shell of another machine": (
        f"export A=1\nssh host bash -c 'torchrun x.py {FLAGS} --lr ${{A:-2}}'\n",
        "$A, which is perhaps not exported to the shell that uses it",
    ),
    "a value that bash divides": (
        f"ARGS=(--lr 1e-4 --step-batch-size-schedule '0:8 1000:16')\ntorchrun x.py {FLAGS} ${{ARGS[@]}}\n",
        "--step-batch-size-schedule: has a value and the further word '1000:16', which the program refuses; quote",
    ),
    "two variables that differ": (
        'A="--lr 1e-4 --train-iters 5"\nB="--lr 2e-4 --global-batch-size 8"\n',
        "--lr: has another value on line 2, and no command of the file has both",
    ),
}


@pytest.mark.parametrize("name", HELD)
def test_what_only_running_it_decides_is_asked_for(name: str, tmp_path: Path) -> None:
    text, expected = HELD[name]
    (tmp_path / "train.sh").write_text(f"#!/bin/bash\n{text}")
    with pytest.raises(ConfigError) as error:
        imported(tmp_path / "train.sh")
    assert expected in str(error.value)


@pytest.mark.parametrize(
    ("name", "settings", "key", "value"),
    [
        ("a loop over values", ["LR=2e-4"], "max_lr", 2e-4),
        ("arguments of the script", ["1=700", "2=5e-4"], "train_iters", 700),
        ("a value under a condition", ["LR=7e-4"], "max_lr", 7e-4),
        ("a value that a command computes", ["min_lr=1e-6"], "min_lr", 1e-6),
        ("flags that depend on a variable", ["PEAK=6e-4"], "max_lr", 6e-4),
    ],
)
def test_what_is_asked_for_can_be_given(name: str, settings: list[str], key: str, value: float, tmp_path: Path) -> None:
    (tmp_path / "train.sh").write_text(f"#!/bin/bash\n{HELD[name][0]}")
    options = [part for setting in settings for part in ("--set", setting)]
    done = cli("import", "train.sh", *options, "--format", "json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["schedule"][key] == value


def test_all_that_is_missing_is_asked_for_at_once(tmp_path: Path) -> None:
    (tmp_path / "train.sh").write_text(f"torchrun x.py {FLAGS} --train-iters $1 --lr $2 --seq-length $3 --seed $4\n")
    done = cli("import", "train.sh")
    assert (done.err.count("is an argument of the script"), done.err.count("--set 3")) == (2, 0)
    done = cli("import", "train.sh", "--set", "1=50", "--set", "2=1e-4")
    assert "--seq-length is not known, and is left out" in done.out


def test_one_of_several_commands_is_chosen_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "train.sh").write_text(f"\ntorchrun x.py {FLAGS}\n\ntorchrun y.py {FLAGS} \\\n    --lr 1e-3\n")
    assert "(lines: 2 and 4); choose one with --line" in cli("import", "train.sh").err
    rates = [
        json.loads(cli("import", "train.sh", "--line", line, "--format", "json").out)["schedule"]["max_lr"]
        for line in (2, 4, 5)
    ]
    assert rates == [3e-4, 1e-3, 1e-3]
    assert "has no command up to line 1" in cli("import", "train.sh", "--line", 1).err
    (tmp_path / "a.yaml").write_text("lr: 1\nlr_decay_style: linear\ntrain_iters: 5\n")
    assert "a.yaml is not a shell script" in cli("import", "a.yaml", "--line", 1).err


def test_variables_are_taken_where_no_command_has_flags(tmp_path: Path) -> None:
    (tmp_path / "params.sh").write_text(
        "PARAMS=(--num-layers 4 --lr 3e-4 --min-lr 1e-5)\nPARAMS+=(--train-iters 70 --min-lr 3e-5)\n"
        'BATCH="--global-batch-size 8"\nOTHER="--seed 1"\n'
    )
    found = imported(tmp_path / "params.sh")
    assert {key: found.keys[key] for key in ("max_lr", "min_lr", "train_iters", "global_batch_size")} == {
        "max_lr": 3e-4,
        "min_lr": 3e-5,
        "train_iters": 70,
        "global_batch_size": 8,
    }
    assert any("no command of the file has these flags" in sentence for sentence in found.assumed)


def test_a_function_may_have_the_name_of_the_program_that_it_calls(tmp_path: Path) -> None:
    function = 'torchrun() {\n  command torchrun "$@" --min-lr 1e-6\n}\n'
    (tmp_path / "train.sh").write_text(f"{function}torchrun pretrain_gpt.py {FLAGS}\n")
    assert imported(tmp_path / "train.sh").keys["min_lr"] == 1e-6


def test_a_value_with_spaces_is_one(tmp_path: Path) -> None:
    words = ["--step-batch-size-schedule", "0:768 1000000:1536", "--seq-length", "4096"]
    (tmp_path / "train.sh").write_text(f"torchrun x.py --lr 1e-4 --train-iters 5000 {shlex.join(words)}\n")
    assert imported(tmp_path / "train.sh").keys["step_batch_size_schedule"] == "0:768 1000000:1536"


def test_a_cooldown_of_length_0_is_none(tmp_path: Path) -> None:
    wsd = FLAGS.replace("cosine", "WSD --lr-wsd-decay-iters 0")
    (tmp_path / "train.sh").write_text(f"torchrun x.py {wsd}\n")
    assert imported(tmp_path / "train.sh").keys["lr_decay_style"] == "constant"


def test_batches_that_a_ramp_may_decrease_are_refused(tmp_path: Path) -> None:
    (tmp_path / "train.sh").write_text(f"torchrun x.py {FLAGS} --decrease-batch-size-if-needed\n")
    assert any("is a multiple of the micro batch" in sentence for sentence in imported(tmp_path / "train.sh").assumed)
    samples = FLAGS.replace("-iters", "-samples") + " --rampup-batch-size 2 2 100 --decrease-batch-size-if-needed"
    (tmp_path / "train.sh").write_text(f"torchrun x.py {samples}\n")
    with pytest.raises(ConfigError, match="decreases batches"):
        imported(tmp_path / "train.sh")


def test_a_number_that_is_not_known_holds_no_flags(tmp_path: Path) -> None:
    (tmp_path / "train.sh").write_text(f"mpirun -np $((NODES * GPUS)) python x.py {FLAGS} $((NODES - 1))\n")
    assert imported(tmp_path / "train.sh").keys["max_lr"] == 3e-4


def test_values_that_are_not_known_are_named_once(tmp_path: Path) -> None:
    (tmp_path / "train.sh").write_text(f"torchrun x.py --save $1 --load $1 --data-path $DATA {FLAGS}\n")
    (sentence,) = [each for each in imported(tmp_path / "train.sh").assumed if "not known" in each]
    assert sentence.startswith("$1, $DATA are not known, and are taken for values of flags")
