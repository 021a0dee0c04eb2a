"""``schedframe preview``: exact values, every format, the points that matter."""

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import schedframe
from schedframe._cli.app import app

from ..runs import cli

RUN = """\
train_samples: 500M
max_lr: 3e-4
min_lr: 10%
lr_warmup_steps: 1%
lr_decay_style: {style: WSD, wsd_decay_steps: 10%, lr_wsd_decay_style: minus_sqrt}
start_wd: 0.033
end_wd: 0.1
wd_incr_style: cosine
"""
OWN = "◆ start of a group's own phase"
WITHOUT_WD = "lr_decay_steps: 1000\nmax_lr: 1e-3\nlr_decay_style: cosine\n"


@pytest.fixture
def run_yaml(tmp_path: Path) -> Path:
    path = tmp_path / "run.yaml"
    path.write_text(RUN)
    return path


def preview(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["preview", *map(str, arguments)], env={"COLUMNS": None})
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return result.stdout


def points(*arguments: object) -> list[dict]:
    return json.loads(preview(*arguments, "--format", "json"))["points"]


def steps(*arguments: object) -> dict[str, float]:
    return {point["label"]: point["step"] for point in points(*arguments)}


def test_the_points_that_matter(run_yaml: Path) -> None:
    assert steps(run_yaml) == {
        "start": 0,
        "warmup end": 5_000_000,
        "cooldown start": 450_000_000,
        "decay end, run end, weight decay end": 500_000_000,
        "after the end": 500_000_001,
    }


def test_json_holds_the_very_floats(run_yaml: Path) -> None:
    schedule = schedframe.load(run_yaml)
    shown = points(run_yaml, "--points", 333)
    assert len(shown) == 333 + 4
    for point in shown:
        assert point["lr"] == schedule.lr_at(point["step"])
        assert point["wd"] == schedule.wd_at(point["step"])


def test_csv_holds_the_very_floats(run_yaml: Path) -> None:
    schedule = schedframe.load(run_yaml)
    table = list(csv.DictReader(io.StringIO(preview(run_yaml, "--points", 333, "--format", "csv"))))
    assert list(table[0]) == ["step", "label", "lr", "wd", "lr_wd", "time_constant"]
    assert len(table) == 333 + 4
    for row in table:
        lr, wd = schedule.lr_at(int(row["step"])), schedule.wd_at(int(row["step"]))
        assert (float(row["lr"]), float(row["wd"]), float(row["lr_wd"])) == (lr, wd, lr * wd)
        assert row["time_constant"] == (str(1 / (lr * wd)) if lr else "")


def test_csv_and_json_say_the_same(run_yaml: Path) -> None:
    table = csv.DictReader(io.StringIO(preview(run_yaml, "--format", "csv")))
    shown = points(run_yaml)
    assert [row["label"] for row in table] == [point["label"] for point in shown]


def test_without_weight_decay_there_is_no_such_column(tmp_path: Path) -> None:
    path = tmp_path / "lr.yaml"
    path.write_text(WITHOUT_WD)
    assert preview(path, "--format", "csv").splitlines() == [
        "step,label,lr",
        "0,start,0.001",
        "1000,decay end,0.0",
        "1001,after the end,0.0",
    ]
    assert all("wd" not in point for point in points(path))
    table = preview(path, "--no-chart")
    assert "weight decay is not scheduled" in table
    assert " wd" not in table


def test_the_table(run_yaml: Path) -> None:
    assert preview(run_yaml, "--no-chart").splitlines() == [
        f"{run_yaml}: WSD(wsd_decay_steps=50M, lr_wsd_decay_style=minus_sqrt), max LR 3e-4, min LR 3e-5, warmup 5M, "
        "decay 500M, weight decay 0.033 to 0.1 by cosine over 500M",
        "",
        "step  label                                   lr       wd    lr*wd  1/(lr*wd)",
        "─────────────────────────────────────────────────────────────────────────────",
        "   0  start                                    0    0.033        0          ∞",
        "  5M  warmup end                            3e-4  0.03302   9.9e-6    100,960",
        "450M  cooldown start                        3e-4  0.09836  2.95e-5     33,889",
        "500M  decay end, run end, weight decay end  3e-5      0.1     3e-6    333,333",
        "500M  after the end                         3e-5      0.1     3e-6    333,333",
    ]


@pytest.mark.parametrize(
    ("text", "step"),
    [("50M", 50_000_000), ("1_000", 1000), ("2e9", 2_000_000_000), ("77%", 385_000_000), ("0.5", 0.5)],
)
def test_asking_for_a_step(run_yaml: Path, text: str, step: float) -> None:
    assert steps(run_yaml, "--at", text)[f"at {text}"] == step


def test_asking_for_many_steps(run_yaml: Path) -> None:
    asked = steps(run_yaml, "--at", "100M", "--at", "200M", "--at", "0")
    assert asked["at 100M"] == 100_000_000
    assert asked["at 200M"] == 200_000_000
    assert asked["start, at 0"] == 0


@pytest.mark.parametrize("text", ["soon", "-5", "50X", "1e999", "x%", "nan"])
def test_what_is_no_step_is_a_usage_error(run_yaml: Path, text: str) -> None:
    result = CliRunner().invoke(app, ["preview", str(run_yaml), f"--at={text}"])
    assert result.exit_code == 2
    assert "--at" in result.stderr
    assert repr(text) in result.stderr
    assert result.stdout == ""


def test_evenly_spaced_points_are_whole_steps(tmp_path: Path) -> None:
    path = tmp_path / "lr.yaml"
    path.write_text(WITHOUT_WD)
    assert [point["step"] for point in points(path, "--points", 3)] == [0, 333, 667, 1000, 1001]


def test_a_clock_of_few_steps_has_points_between_them(tmp_path: Path) -> None:
    path = tmp_path / "lr.yaml"
    path.write_text("lr_decay_steps: 2\nmax_lr: 1\n")
    assert [point["step"] for point in points(path, "--points", 4)] == [0, 0.5, 1, 1.5, 2, 3]


def test_points_cannot_be_negative(run_yaml: Path) -> None:
    assert CliRunner().invoke(app, ["preview", str(run_yaml), "--points=-1"]).exit_code == 2


def test_the_chart_of_weight_decay_is_drawn_where_it_varies(run_yaml: Path, tmp_path: Path) -> None:
    shown = preview(run_yaml)
    assert "learning rate over samples\n" in shown
    assert "weight decay over samples\n" in shown
    constant = tmp_path / "constant.yaml"
    constant.write_text(WITHOUT_WD + "start_wd: 0.1\n")
    shown = preview(constant)
    assert "learning rate over samples\n" in shown
    assert "weight decay over" not in shown
    assert "learning rate" not in preview(constant, "--no-chart")


def test_a_bad_file_is_reported_as_by_the_library(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("max_lr: -1\nlr_decay_stepz: 5\n")
    with pytest.raises(schedframe.ConfigError) as told:
        schedframe.load(path)
    result = CliRunner().invoke(app, ["preview", str(path)])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == f"{told.value}\n"


def test_a_rate_that_only_a_checkpoint_knows_says_where_to_look(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(WITHOUT_WD + "start_step: 500\ninit_lr: current\nlr_warmup_steps: 10\n")
    result = CliRunner().invoke(app, ["preview", str(file)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "init_lr = current: is what a checkpoint has at start_step 500, which is not known here" in result.stderr
    assert f"`schedframe inspect CHECKPOINT --with {file}`" in result.stderr


RULES = (
    RUN
    + """\
groups:
- role: router
  match: {param: "*.router.*"}
  lr_mult: 0.1
- role: biases
  match: {param: "*.bias"}
  wd_mult: 0.5
  lr_decay_style: cosine
"""
)


class TestRoles:
    @pytest.fixture
    def rules_yaml(self, tmp_path: Path) -> Path:
        path = tmp_path / "rules.yaml"
        path.write_text(RULES)
        return path

    def test_every_role_is_shown_with_its_own_steps(self, rules_yaml: Path) -> None:
        said = json.loads(preview(rules_yaml, "--format", "json"))
        assert set(said) == {"file", "roles"}
        schedule = schedframe.load(rules_yaml)
        for role in ("default", "router", "biases"):
            for point in said["roles"][role]:
                assert point["lr"] == schedule.lr_at(point["step"], role)
                assert point["wd"] == schedule.wd_at(point["step"], role)
        labels = {role: [point["label"] for point in rows] for role, rows in said["roles"].items()}
        assert "cooldown start" in labels["router"]
        assert "cooldown start" not in labels["biases"]

    def test_one_role_alone(self, rules_yaml: Path) -> None:
        said = json.loads(preview(rules_yaml, "--format", "json", "--role", "router", "--role", "router+biases"))
        assert list(said["roles"]) == ["router", "router+biases"]
        schedule = schedframe.load(rules_yaml)
        last = said["roles"]["router+biases"][-1]
        assert last["wd"] == 0.5 * (schedule.wd_at(last["step"]) or 0.0)

    def test_csv_has_a_column_for_it(self, rules_yaml: Path) -> None:
        rows = list(csv.DictReader(io.StringIO(preview(rules_yaml, "--format", "csv"))))
        assert list(dict.fromkeys(row["role"] for row in rows)) == ["default", "router", "biases"]

    def test_one_table_names_each_in_its_first_row(self, rules_yaml: Path) -> None:
        rows = [line.split() for line in preview(rules_yaml, "--no-chart").splitlines()]
        assert [row[0] for row in rows if row[1:3] == ["0", "start"]] == ["default", "router", "biases"]

    def test_one_chart_has_all_of_them_and_a_legend(self, rules_yaml: Path) -> None:
        text = preview(rules_yaml)
        assert text.count("learning rate over samples") == 1
        assert f"⠤⠤ default   xx router   oo biases   {OWN}" in text.splitlines()

    def test_roles_with_equal_curves_share_a_line(self, rules_yaml: Path) -> None:
        assert f"⠤⠤ default, router   oo biases   {OWN}" in preview(rules_yaml).splitlines()

    def test_the_chart_has_the_roles_that_are_asked_for(self, rules_yaml: Path) -> None:
        assert (
            f"⠤⠤ router   xx router+biases   {OWN}"
            in preview(rules_yaml, "--role", "router", "--role", "router+biases").splitlines()
        )

    def test_the_phases_of_its_groups_are_below_every_panel(self, tmp_path: Path) -> None:
        rule = "{role: a, match: {index: 0}, max_lr: 0.1, lr_decay_style: cosine}"
        (tmp_path / "run.yaml").write_text(f"{RUN}groups:\n- {rule}\n")
        first, second, *_ = preview(tmp_path / "run.yaml").split("learning rate over samples\n")[1:]
        assert ("cosine" in first, "cooldown" in first, "cooldown" in second) == (True, False, True)

    def test_a_role_alone_has_its_own_headline(self, rules_yaml: Path) -> None:
        assert preview(rules_yaml, "--role", "biases").startswith(f"{rules_yaml}, biases: cosine, ")

    def test_a_role_that_is_none(self, rules_yaml: Path, run_yaml: Path) -> None:
        for file, told in ((rules_yaml, "did you mean 'router'?"), (run_yaml, "the roles are default")):
            result = CliRunner().invoke(app, ["preview", str(file), "--role", "roter"])
            assert result.exit_code == 2
            assert told in " ".join(result.stderr.split())

    def test_a_rule_that_needs_weight_decay_of_its_own_has_its_columns(self, tmp_path: Path) -> None:
        path = tmp_path / "run.yaml"
        path.write_text(WITHOUT_WD + "groups:\n- {role: a, match: {index: 0}, start_wd: 0.5}\n")
        rows = list(csv.DictReader(io.StringIO(preview(path, "--format", "csv"))))
        assert {(row["role"], row["wd"]) for row in rows} == {("default", ""), ("a", "0.5")}
        first, last = [line.split()[1:] for line in preview(path, "--no-chart").splitlines() if "start" in line]
        assert (first, last) == (["0", "start", "1e-3"], ["0", "start", "1e-3", "0.5", "5e-4", "2,000"])


class TestSeveralFiles:
    @pytest.fixture
    def files(self, tmp_path: Path, run_yaml: Path) -> list[Path]:
        (tmp_path / "other.yaml").write_text("train_samples: 400M\nmax_lr: 2e-4\nlr_decay_style: cosine\n")
        return [run_yaml, tmp_path / "other.yaml"]

    def test_each_has_its_table(self, files: list[Path]) -> None:
        shown = preview(*files)
        assert [line.partition(": ")[0] for line in shown.splitlines() if ", max LR " in line] == list(map(str, files))

    def test_one_chart_has_them_all_and_a_legend(self, files: list[Path]) -> None:
        shown = preview(*files)
        assert shown.count("learning rate over samples") == 1
        assert "⠤⠤ run.yaml   xx other.yaml" in shown.splitlines()

    def test_files_of_one_name_have_their_paths_in_the_legend(self, run_yaml: Path) -> None:
        other = run_yaml.parent / "b" / "run.yaml"
        other.parent.mkdir()
        other.write_text(RUN.replace("3e-4", "2e-4"))
        shown = preview(run_yaml, other)
        assert f"⠤⠤ {run_yaml}" in shown
        assert f"xx {other}" in shown

    def test_json_has_a_list_of_them(self, files: list[Path]) -> None:
        said = json.loads(preview(*files, "--format", "json"))["files"]
        assert said == [json.loads(preview(file, "--format", "json")) for file in files]

    def test_csv_has_a_column_for_them(self, files: list[Path]) -> None:
        rows = list(csv.DictReader(io.StringIO(preview(*files, "--format", "csv"))))
        assert list(dict.fromkeys(row["file"] for row in rows)) == list(map(str, files))

    def test_schedules_without_a_common_unit_cannot_be_overlaid(self, files: list[Path], tmp_path: Path) -> None:
        (tmp_path / "tokens.yaml").write_text("clock: tokens\ntrain_tokens: 1B\nmax_lr: 1e-3\n")
        result = CliRunner().invoke(app, ["preview", str(files[0]), str(tmp_path / "tokens.yaml")])
        assert result.exit_code == 2
        assert "the schedules have no unit in common" in " ".join(result.stderr.split())


WIDE = """\
train_tokens: 500B
seq_length: 4096
global_batch_size: 1024
max_lr: 3e-4
lr_warmup_steps: 2000 iters
start_wd: 0.1
end_wd: 0.2
wd_incr_style: cosine
groups: [{role: a-role-with-a-long-name, match: {index: 0}, lr_mult: 0.1}]
"""


class TestWidths:
    @pytest.fixture
    def wide(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.chdir(tmp_path)
        Path("wide.yaml").write_text(WIDE)
        return Path("wide.yaml")

    @pytest.mark.parametrize(
        ("columns", "headers"),
        [
            (None, ["role", "step", "label", "iters", "tokens", "lr", "wd", "lr*wd", "1/(lr*wd)"]),
            (100, ["role", "step", "label", "iters", "tokens", "lr", "wd", "lr*wd", "1/(lr*wd)"]),
            (90, ["role", "step", "label", "iters", "tokens", "lr", "wd", "lr*wd"]),
            (80, ["role", "step", "label", "iters", "tokens", "lr", "wd"]),
            (70, ["role", "step", "label", "lr", "wd"]),
        ],
    )
    def test_columns_are_left_out_until_the_table_fits(
        self, wide: Path, columns: int | None, headers: list[str]
    ) -> None:
        lines = cli("preview", wide, "--no-chart", columns=columns).out.splitlines()
        assert next(line.split() for line in lines if line.startswith("role")) == headers
        assert max(map(len, lines)) <= (columns or 400)

    def test_nothing_is_cut(self, wide: Path) -> None:
        shown = cli("preview", wide, "--no-chart", columns=80).out
        assert "…" not in shown
        assert all(label in shown for label in ("warmup end", "weight decay end", "after the end"))
