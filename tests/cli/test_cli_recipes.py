"""``schedframe recipes``, and recipe:NAME as an argument of other commands."""

import json
from pathlib import Path

import pytest

import schedframe
from schedframe._files.config.document import parse_text
from schedframe._tools.recipes import recipe, recipes, scaled

from ..runs import cli

BRANCH = ("--at", "5T tokens", "--wsd-decay-steps", "1T tokens")
NAMES = [found.name for found in recipes()[0]]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_list_has_every_recipe_in_80_columns() -> None:
    done = cli("recipes", columns=80)
    lines = done.out.splitlines()
    assert lines[0].split() == ["name", "year", "style", "length", "max", "LR"]
    assert [line.split()[0] for line in lines[2:]] == NAMES
    assert max(map(len, lines)) <= 80
    row = next(line for line in lines if line.startswith("kimi-k2 "))
    assert row.split() == ["kimi-k2", "2025", "WSD", "15.5T", "tokens", "2e-4"]


def test_words_choose_from_the_list() -> None:
    lines = cli("recipes", "olmo-3", "LINEAR").out.splitlines()[2:]
    linear = ["olmo-3-32b-long-context", "olmo-3-32b-midtrain", "olmo-3-7b-midtrain"]
    assert [line.split()[0] for line in lines] == linear
    assert "no recipe has all of the words olmo, multi-step" in cli("recipes", "olmo", "multi-step").out
    assert "arxiv.org/abs/2412.19437" in cli("recipes", "2412.19437", "--format", "json").out


def test_a_word_that_no_recipe_has_is_an_error_with_a_close_name() -> None:
    done = cli("recipes", "kimi-k3")
    assert (done.code, done.out) == (2, "")
    assert "recipe:kimi-k3: is not an installed recipe; did you mean 'kimi-k2'?" in done.err


def test_a_name_shows_sources_what_is_open_and_the_curve() -> None:
    out = cli("recipes", "deepseek-v3", columns=100).out
    assert out.startswith("deepseek-v3: DeepSeek-V3, 2024\nfrom schedframe ")
    assert "#   - https://arxiv.org/abs/2412.19437, section 4.2" in out
    assert "# unsaid:" in out
    assert "learning rate over tokens" in out


def test_json_has_the_same_as_data() -> None:
    listed = json.loads(cli("recipes", "--format", "json").out)["recipes"]
    assert [each["name"] for each in listed] == NAMES
    one = json.loads(cli("recipes", "opt-175b", "--format", "json").out)
    assert {**one, "text": None, "file": None} == {**listed[NAMES.index("opt-175b")], "text": None, "file": None}
    assert one["schedule"]["train_tokens"] == "300B"
    assert (one["style"], one["length"], one["max_lr"], one["year"]) == ("linear", "300B tokens", 1.2e-4, 2022)
    assert len(one["unsaid"]) == 3


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("suffix", ["yaml", "toml", "json"])
def test_a_written_recipe_is_the_same_schedule(name: str, suffix: str) -> None:
    assert cli("recipes", name, "--write", f"run.{suffix}").out == f"wrote run.{suffix}\n"
    assert schedframe.load(f"run.{suffix}") == schedframe.load(f"recipe:{name}")
    if suffix != "json":
        assert "# sources:" in Path(f"run.{suffix}").read_text()


def test_a_file_is_replaced_only_with_force() -> None:
    Path("run.yaml").write_text("mine\n")
    done = cli("recipes", "kimi-k2", "--write", "run.yaml")
    assert done.code == 2
    assert "already exists" in done.err
    assert Path("run.yaml").read_text() == "mine\n"
    assert cli("recipes", "kimi-k2", "--write", "run.yaml", "--force").code == 0
    assert Path("run.yaml").read_text() == recipe("kimi-k2").text


def test_scale_multiplies_lengths_and_keeps_the_warmup() -> None:
    done = cli("recipes", "kimi-k2", "--scale", "tokens=3.1T", "--write", "run.yaml")
    assert done.out.splitlines() == [
        "wrote run.yaml",
        "  scaled: from 15.5T tokens to 3.1T tokens, by 0.2",
        "  scaled: lr_decay_style.wsd_decay_steps from 5.5T tokens to 1.1T tokens",
        "  not scaled: lr_warmup_steps 500 iters",
    ]
    text = Path("run.yaml").read_text()
    assert "# scaled: lr_decay_style.wsd_decay_steps from 5.5T tokens to 1.1T tokens\n" in text
    schedule, published = schedframe.load("run.yaml"), schedframe.load("recipe:kimi-k2")
    assert schedule.train_tokens == 3.1e12
    assert schedule.lr_warmup_steps == published.lr_warmup_steps
    for share in (0.5, 10 / 15.5, 0.8, 1.0):
        ours, theirs = (each.lr_at(share * each.train_steps) for each in (schedule, published))
        assert ours == pytest.approx(theirs, rel=1e-9)


def test_lengths_in_percent_follow_the_run() -> None:
    schedule = scaled(recipe("stablelm-alpha-3b"), "train_iters", "10K").schedule
    assert (schedule.train_iters, schedule.lr_warmup_steps, schedule.lr_decay_steps) == (10_000, 100, 10_000)


def test_a_decay_that_ends_before_the_run_still_does() -> None:
    schedule = scaled(recipe("gpt-3-175b"), "train_tokens", "30B").schedule
    assert schedule.lr_at(schedule.step_at("26B tokens")) == pytest.approx(6e-6, rel=1e-12)
    assert schedule.lr_warmup_steps == schedule.step_at("375M tokens")


def test_phases_keep_their_shares() -> None:
    schedule = scaled(recipe("deepseek-v3"), "train_tokens", "1.48T").schedule
    values = [schedule.lr_at(schedule.step_at(f"{at}B tokens")) for at in (1000, 1430, 1463, 1464)]
    assert values == pytest.approx([2.2e-4, 2.2e-5, 2.2e-5, 7.3e-6], rel=1e-9)


@pytest.mark.parametrize(
    "style",
    [
        {"style": "multi-step", "milestones": ["600 iters", 0.8], "multipliers": [0.5, 0.25]},
        {"style": "each", "factor": 0.5, "every": "100 iters", "stairs": True},
        {"style": "power-law", "timescale": 100},
    ],
    ids=lambda style: style["style"],
)
def test_lengths_in_options_of_styles_are_scaled(style: dict[str, object]) -> None:
    keys = {"clock": "iters", "train_iters": 1000, "max_lr": 1.0, "lr_decay_style": style}
    whole = recipe("phi-1")._replace(data=keys, schedule=schedframe.Schedule(**keys))
    schedule = scaled(whole, "train_iters", "10K").schedule
    for step in (0, 99, 100, 599, 600, 799, 800, 1000):
        assert schedule.lr_at(10 * step) == pytest.approx(whole.schedule.lr_at(step), rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_half_of_every_recipe_loads_and_has_the_same_course(name: str) -> None:
    whole = recipe(name)
    half = whole.schedule.train_steps / 2
    unit = whole.schedule.clock
    made = scaled(whole, f"train_{unit}", str(int(half)))
    assert schedframe.Schedule(**parse_text(Path("x.yaml"), made.text).data) == made.schedule
    ends = [each.lr_at(each.lr_decay_steps) for each in (whole.schedule, made.schedule)]
    depends_on_warmup = whole.schedule.lr_style.style == "inverse-square-root" or name.startswith("edm2-")
    assert depends_on_warmup or ends[0] == pytest.approx(ends[1], rel=1e-9, abs=1e-18)


@pytest.mark.parametrize(
    ("scale", "fault"),
    [
        ("2T", "is not a length: write tokens=2T"),
        ("epochs=3", "is not a length: write tokens=2T"),
        ("tokens=", "is not a length: write tokens=2T"),
        ("tokens=much", "train_tokens = much"),
        ("tokens=-1", "train_tokens = -1"),
        ("tokens=0", "must be a length above 0"),
        ("tokens=nan", "train_tokens = nan"),
        ("iters=5K", "global_batch_size is missing"),
        ("tokens=100M", "lr_warmup_steps"),
    ],
)
def test_a_length_that_cannot_be_used_is_refused(scale: str, fault: str) -> None:
    done = cli("recipes", "gpt-3-175b", "--scale", scale, "--write", "run.yaml")
    assert done.code == 2
    assert fault in done.err
    assert not Path("run.yaml").exists()


@pytest.mark.parametrize("option", [("--write", "run.yaml"), ("--scale", "tokens=2T")])
def test_write_and_scale_need_one_recipe(option: tuple[str, str]) -> None:
    for words in ((), ("olmo", "cosine")):
        done = cli("recipes", *words, *option)
        assert done.code == 2
        assert "requires the name of one recipe" in done.err
    assert "did you mean 'olmo-7b'" in cli("recipes", "olmo-7", *option).err
    assert not Path("run.yaml").exists()


def test_write_refuses_a_suffix_that_is_no_format() -> None:
    done = cli("recipes", "kimi-k2", "--write", "run.txt")
    assert done.code == 2
    assert "has an unknown suffix '.txt'" in done.err


def test_commands_take_a_recipe_for_a_file() -> None:
    assert cli("check", "recipe:kimi-k2").out.startswith("recipe:kimi-k2: ok\n")
    assert json.loads(cli("preview", "recipe:kimi-k2", "--format", "json").out)["file"] == "recipe:kimi-k2"
    assert cli("plot", "recipe:kimi-k2", "--no-open").code == 0
    assert cli("plot", "recipe:kimi-k2", "recipe:deepseek-v3", "-o", "both.svg").code == 0
    assert cli("diff", "recipe:kimi-k2", "recipe:kimi-k2").code == 0
    assert cli("resolve", "recipe:pythia-1.4b").out.startswith("clock: iters\n")
    assert json.loads(cli("resolve", "recipe:pythia-1.4b", "--format", "json").out)["train_iters"] == 143_000


def test_a_recipe_is_never_a_file_to_write_to() -> None:
    assert (
        "`schedframe recipes kimi-k2 --write FILE` writes it as a file of your own"
        in cli("design", "recipe:kimi-k2", "--no-open").err
    )
    assert cli("branch", "recipe:kimi-k2", *BRANCH, "-o", "recipe:x").code == 2
    assert list(Path.cwd().iterdir()) == []


def test_a_branch_of_a_recipe_extends_it() -> None:
    done = cli("branch", "recipe:kimi-k2", *BRANCH, "-o", "run.yaml")
    assert done.code == 0, done.err
    assert "extends: recipe:kimi-k2\n" in Path("run.yaml").read_text()
    schedule = schedframe.load("run.yaml")
    assert schedule.lr_at(schedule.step_at("6T tokens")) == 2e-5
