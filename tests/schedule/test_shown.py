"""How a schedule shows itself: in a line, in a notebook, on an axis."""

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import schedframe
from schedframe import Schedule

from ..runs import KEYS, SCHEDULES

ROUTER = {"role": "router", "match": {"param": "*.router.*"}, "lr_mult": 0.01}
LINE = (
    "Schedule(train_samples=5000, max_lr=0.0003, min_lr=3e-05, lr_warmup_steps=100, "
    "lr_decay_style=WSD(wsd_decay_steps=500, lr_wsd_decay_style=cosine), start_wd=0.1)"
)


class Page(HTMLParser):
    """The texts of a page by their element, and whether every element is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.texts.append((tag, ""))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and data.strip():
            self.texts.append((self.open[-1], data.strip()))

    def of(self, tag: str) -> list[str]:
        return [text for element, text in self.texts if element == tag]


def page_of(schedule: Schedule) -> Page:
    page = Page(schedule._repr_html_())
    assert page.open == []
    return page


def test_a_schedule_is_one_line_of_the_keys_that_were_given() -> None:
    assert repr(Schedule(**KEYS)) == str(Schedule(**KEYS)) == LINE


def test_rules_for_param_groups_are_named_by_role() -> None:
    assert repr(Schedule(**KEYS, groups=[ROUTER])) == LINE[:-1] + ", groups=[router])"


def test_lengths_are_written_as_people_write_them() -> None:
    keys = {"train_tokens": "500B", "seq_length": 4096, "global_batch_size": 1024, "lr_warmup_steps": "2000 iters"}
    assert repr(Schedule(**keys, max_lr=1e-3)) == (
        "Schedule(global_batch_size=1024, seq_length=4096, train_tokens=500B, max_lr=0.001, lr_warmup_steps=2.048M)"
    )


LINES = {
    "run.yaml": "Schedule(train_samples=500M, max_lr=0.0003, min_lr=3e-05, lr_warmup_steps=5M, "
    "lr_decay_style=WSD(wsd_decay_steps=50M, lr_wsd_decay_style=minus_sqrt), start_wd=0.033, end_wd=0.1, "
    "wd_incr_style=cosine)",
    "moe.yaml": "Schedule(global_batch_size=1024, seq_length=4096, rampup_batch_size=[256, 256, 20M], "
    "train_tokens=500B, max_lr=0.0003, lr_warmup_steps=512K, "
    "lr_decay_style=phases(phases=[constant, minus_sqrt 12.21M to 10%]), start_wd=0.1, "
    "wd_incr_style=adamc(base=constant), groups=[router, biases])",
}


@pytest.mark.parametrize("name", LINES)
def test_a_schedule_is_one_line(name: str) -> None:
    assert repr(schedframe.load(SCHEDULES / name)) == LINES[name]


def test_the_schedule_of_a_role_is_one_line_too() -> None:
    assert "max_lr=3e-06" in repr(Schedule(**KEYS, groups=[ROUTER]).for_role("router"))


def test_a_notebook_shows_the_summary_the_curves_and_the_findings() -> None:
    pytest.importorskip("matplotlib")
    schedule = Schedule(**KEYS)
    page = page_of(schedule)
    assert page.of("p") == [schedule.summary()]
    assert len([tag for tag, _ in page.texts if tag == "path"]) > 10
    assert page.of("li") == [str(finding) for finding in schedule.findings()]
    assert "SF305" in page.of("li")[0]


def test_a_notebook_shows_the_same_at_every_call() -> None:
    assert Schedule(**KEYS)._repr_html_() == Schedule(**KEYS)._repr_html_()


def test_a_real_notebook_shows_the_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("ipykernel", "matplotlib", "nbclient"):
        pytest.importorskip(module)
    import nbclient
    import nbformat

    for variable in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(tmp_path))
    cell = nbformat.v4.new_code_cell(f"import schedframe\nschedframe.Schedule(**{KEYS})")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    nbclient.NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()
    (shown,) = notebook.cells[0].outputs
    assert shown.data == {"text/html": Schedule(**KEYS)._repr_html_(), "text/plain": LINE}
    assert "<svg" in shown.data["text/html"]


def test_without_matplotlib_a_notebook_shows_the_summary_and_the_findings() -> None:
    program = (
        "import sys; sys.modules['matplotlib'] = None\nimport schedframe\n"
        "print(schedframe.Schedule(max_lr=1e-3, train_samples='1M', lr_warmup_steps='1%')._repr_html_())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.startswith("<div><p>linear, max LR 1e-3"), done.stderr
    assert "<li>" in done.stdout
    assert "<svg" not in done.stdout


def test_a_learning_rate_that_the_checkpoint_decides_is_no_picture() -> None:
    schedule = Schedule(**KEYS, init_lr="current", start_step=100)
    assert "no picture: init_lr is `current`" in page_of(schedule).of("p")[1]


def test_a_file_with_signs_of_html_in_its_name_is_text(tmp_path: Path) -> None:
    file = tmp_path / "<b>.yaml"
    file.write_text("train_samples: 1M\nmax_lr: 1e-3\nlr_warmup_steps: 1%\n")
    assert any(f"{file}:3" in text for text in page_of(schedframe.load(file)).of("li"))


@pytest.fixture
def axis() -> Any:
    return pytest.importorskip("matplotlib.figure").Figure().subplots()


def test_plot_draws_every_role_on_the_axis_that_is_given(axis: Any) -> None:
    schedule = Schedule(**KEYS, groups=[ROUTER])
    assert schedule.plot(axis) is axis
    lines = {line.get_label(): line for line in axis.get_lines()}
    assert list(lines["router"].get_ydata()) == schedule.lr_at(list(lines["router"].get_xdata()), "router")
    assert list(lines["default"].get_ydata()) == schedule.lr_at(list(lines["default"].get_xdata()))


def test_plot_draws_what_is_asked_for_in_the_unit_that_is_asked_for(axis: Any) -> None:
    Schedule(**KEYS, global_batch_size=10).plot(axis, unit="iters", what="wd", title="decay")
    assert (axis.get_xlabel(), axis.get_ylabel(), axis.get_title("left")) == ("iters", "weight decay", "decay")
    assert axis.get_xlim() == (0, 500)


def test_plot_makes_a_figure_where_no_axis_is_given() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    from matplotlib import pyplot

    with matplotlib.rc_context({"backend": "agg"}):
        axis = Schedule(**KEYS).plot()
        assert pyplot.gca() is axis
        pyplot.close(axis.figure)


def phases_on(axis: Any) -> list[str]:
    return [text.get_text() for text in axis.texts]


def test_a_further_schedule_with_the_same_phases_is_not_shaded_again(axis: Any) -> None:
    for peak in (3e-4, 1e-4):
        Schedule(**{**KEYS, "max_lr": peak}).plot(axis)
    assert (len(axis.patches), sorted(phases_on(axis))) == (3, ["cooldown", "stable", "warmup"])


def test_schedules_with_different_phases_are_not_shaded(axis: Any) -> None:
    for style in ("cosine", KEYS["lr_decay_style"], "cosine"):
        Schedule(**{**KEYS, "lr_decay_style": style}).plot(axis)
    assert (list(axis.patches), phases_on(axis)) == ([], [])


def test_a_further_schedule_has_a_colour_and_a_name_of_its_own(axis: Any) -> None:
    Schedule(**KEYS).plot(axis, label="a")
    Schedule(**KEYS, groups=[ROUTER]).plot(axis, label="b")
    assert len({line.get_color() for line in axis.get_lines()}) == 3
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["a", "b, default", "b, router"]


def test_an_axis_shows_all_of_the_longest_schedule_on_it(axis: Any) -> None:
    for length in (5000, 10_000, 5000):
        Schedule(**{**KEYS, "train_samples": length}).plot(axis)
    assert axis.get_xlim() == (0, 10_000)


def test_what_is_cleared_from_an_axis_does_not_count(axis: Any) -> None:
    Schedule(**{**KEYS, "lr_decay_style": "cosine"}).plot(axis)
    axis.clear()
    Schedule(**KEYS).plot(axis, what="wd")
    assert len(axis.patches) == 3


@pytest.mark.parametrize("options", [{"what": "wd"}, {"unit": "iters"}])
def test_an_axis_has_one_quantity_over_one_unit(axis: Any, options: dict[str, Any]) -> None:
    schedule = Schedule(**KEYS, global_batch_size=10)
    schedule.plot(axis)
    with pytest.raises(ValueError, match=r"^the axis shows the learning rate over samples, not the "):
        schedule.plot(axis, **options)


def test_weight_decay_that_is_not_scheduled_is_not_drawn(axis: Any) -> None:
    with pytest.raises(ValueError, match="weight decay is not scheduled"):
        Schedule(max_lr=1e-3, train_samples=100).plot(axis, what="wd")
