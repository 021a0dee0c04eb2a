"""The page in a real browser, offline: a person reads, hides, zooms, and changes the axes."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from schedframe import Schedule

from ..runs import cli

Write = Callable[..., Path]
Open = Callable[..., Any]

BLUE, ORANGE, SKY = (0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00), (0x56, 0xB4, 0xE9)
HEIGHTS = """
([red, green, blue]) => {
  const canvas = document.querySelector("canvas");
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  const found = [];
  for (let at = 0; at < data.length; at += 4) {
    if (data[at] === red && data[at + 1] === green && data[at + 2] === blue && data[at + 3] === 255) {
      found.push(1 - Math.floor(at / 4 / canvas.width) / canvas.height);
    }
  }
  return found.sort((a, b) => a - b);
}
"""
"""How high the pixels of a colour stand in the first chart: 0 is the bottom."""


@pytest.fixture
def open_page(chromium: Any, write: Write, tmp_path: Path) -> Iterator[Open]:
    """Open the page of files; whatever it logs or requests besides itself fails the test."""
    contexts, said, requested = [], [], []

    def open_page(*arguments: object, dark: bool = False, before: str = "") -> Any:
        context = chromium.new_context(
            color_scheme="dark" if dark else "light", viewport={"width": 1300, "height": 900}, offline=True
        )
        contexts.append(context)
        context.add_init_script(before)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: requested.append(request.url))
        page.goto(write(*arguments).as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    assert requested == [(tmp_path / "page.html").as_uri()] * len(contexts)


def hover(page: Any, part: float, chart: int = 0) -> None:
    """Put the mouse on a chart, at a part of its width."""
    page.locator(".u-over").nth(chart).hover(position={"x": part * width(page), "y": 60})


def width(page: Any) -> float:
    page.wait_for_function("document.querySelector('.u-over')?.getBoundingClientRect().width > 0")
    return page.evaluate("document.querySelector('.u-over').getBoundingClientRect().width")


def drag(page: Any, begin: float, end: float) -> None:
    """Drag the mouse over the first chart, from a part of its width to another one."""
    box = page.locator(".u-over").first.bounding_box()
    page.mouse.move(box["x"] + begin * box["width"], box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + end * box["width"], box["y"] + 60, steps=5)
    page.mouse.up()


def step_of(page: Any, file: int = 0) -> float:
    """Return the step at which the page reads values."""
    return float(page.locator(".place").nth(file).get_attribute("data-step"))


def value_of(page: Any, role: str, quantity: str = "lr", file: int = 0) -> float:
    """Return a value that the page shows."""
    return float(page.locator(f'[data-group="{file}/{role}"][data-quantity="{quantity}"]').inner_text())


def heights(page: Any, colour: tuple[int, int, int]) -> list[float]:
    return page.evaluate(HEIGHTS, list(colour))


def steps_shown(page: Any) -> float:
    """Return how many steps the chart shows from its left to its right end."""
    hover(page, 0.999)
    last = step_of(page)
    hover(page, 0.001)
    return last - step_of(page)


@pytest.mark.parametrize("part", [0.003, 0.3, 0.91, 0.97])
@pytest.mark.parametrize("chart", [0, 1])
def test_hover_reads_exact_values_of_every_curve(
    open_page: Open, moe: Path, schedule: Schedule, part: float, chart: int
) -> None:
    page = open_page(moe)
    hover(page, part, chart)
    step = step_of(page)
    assert step == pytest.approx(part * schedule.end_step, abs=0.01 * schedule.end_step)
    for role in ("default", "router", "biases"):
        assert value_of(page, role) == schedule.lr_at(step, role)
        assert value_of(page, role, "wd") == schedule.wd_at(step, role)


def test_the_position_is_read_in_every_unit_with_the_phase(open_page: Open, moe: Path) -> None:
    page = open_page(moe)
    hover(page, 0.95)
    amounts = page.locator(".place").inner_text().split(" · ")
    assert [amount.split()[-1] for amount in amounts] == ["samples", "iters", "tokens", "anneal"]


def test_hover_reads_each_file_at_its_own_point(open_page: Open, moe: Path, schedule: Schedule) -> None:
    other = moe.with_name("other.yaml")
    other.write_text("train_tokens: 300B\nseq_length: 4096\nmax_lr: 2e-4\nlr_decay_style: cosine\n")
    page = open_page(moe, other)
    hover(page, 0.33)
    assert value_of(page, "router") == schedule.lr_at(step_of(page), "router")
    assert value_of(page, "default", file=1) == Schedule(
        train_tokens="300B", seq_length=4096, max_lr=2e-4, lr_decay_style="cosine"
    ).lr_at(step_of(page, file=1))


def test_a_phase_of_a_groups_own_begins_at_a_mark_on_its_curve(open_page: Open, moe: Path) -> None:
    page = open_page(moe)
    before = len(heights(page, ORANGE))
    assert page.locator("figcaption .border").count() == 0
    moe.write_text(moe.read_text().replace("lr_mult: 0.1", "lr_mult: 0.1, lr_warmup_steps: 4000 iters"))
    page = open_page(moe)
    assert page.locator("figcaption .border").all_inner_texts() == ["◆ start of a group's own phase"] * 2
    assert len(heights(page, ORANGE)) > before


def test_a_click_on_the_legend_hides_a_group_and_shows_it_again(open_page: Open, moe: Path) -> None:
    page = open_page(moe)
    router = page.get_by_role("button", name="router")
    assert heights(page, ORANGE)
    router.click()
    page.wait_for_timeout(50)
    assert (heights(page, ORANGE), router.get_attribute("aria-pressed")) == ([], "false")
    router.click()
    page.wait_for_timeout(50)
    assert heights(page, ORANGE)


def test_a_click_on_a_file_hides_all_its_groups(open_page: Open, moe: Path) -> None:
    other = moe.with_name("other.yaml")
    other.write_text(moe.read_text())
    page = open_page(moe, other)
    page.get_by_role("button", name="moe.yaml", exact=True).click()
    page.wait_for_timeout(50)
    assert (heights(page, BLUE), bool(heights(page, ORANGE))) == ([], True)


def test_a_drag_zooms_every_chart_and_a_double_click_shows_everything(open_page: Open, moe: Path) -> None:
    page = open_page(moe)
    everything = steps_shown(page)
    drag(page, 0.5, 0.75)
    hover(page, 0.5, chart=1)
    assert step_of(page) == pytest.approx(0.625 * everything, rel=0.01)
    assert steps_shown(page) == pytest.approx(everything / 4, rel=0.03)
    page.locator(".u-over").first.dblclick()
    assert steps_shown(page) == everything


def test_a_linear_axis_begins_at_zero_until_it_is_zoomed(open_page: Open, tmp_path: Path) -> None:
    file = tmp_path / "high.yaml"
    file.write_text("train_samples: 1M\nmax_lr: 1e-3\nmin_lr: 90%\nlr_decay_style: cosine\n")
    page = open_page(file)
    assert heights(page, BLUE)[0] > 0.7
    drag(page, 0.1, 0.9)
    page.wait_for_timeout(50)
    assert heights(page, BLUE)[0] < 0.3
    page.locator(".u-over").first.dblclick()
    page.wait_for_timeout(50)
    assert heights(page, BLUE)[0] > 0.7


def test_the_button_shows_everything(open_page: Open, moe: Path) -> None:
    page = open_page(moe)
    everything = steps_shown(page)
    drag(page, 0.2, 0.4)
    page.get_by_role("button", name="Reset zoom").click()
    assert steps_shown(page) == everything


def test_the_unit_of_the_axis_changes(open_page: Open, moe: Path, schedule: Schedule) -> None:
    page = open_page(moe)
    page.get_by_text("iters", exact=True).click()
    hover(page, 0.2)
    last = schedule.units_at(schedule.end_step)["iters"]
    assert schedule.units_at(step_of(page))["iters"] == pytest.approx(0.2 * last, rel=0.02)
    assert step_of(page) < 0.17 * schedule.end_step  # iterations of the ramp-up have fewer samples


def test_a_logarithmic_axis_lifts_small_values(open_page: Open, moe: Path) -> None:
    page = open_page(moe)
    before = heights(page, ORANGE)
    page.get_by_role("checkbox", name="logarithmic").check()
    after = heights(page, ORANGE)
    assert after[len(after) // 2] > before[len(before) // 2] + 0.3


def test_the_zoom_stays_when_the_axes_change(open_page: Open, moe: Path) -> None:
    page = open_page(moe)
    drag(page, 0.5, 0.75)
    before = steps_shown(page)
    page.get_by_role("checkbox", name="logarithmic").check()
    assert steps_shown(page) == before
    page.get_by_text("iters", exact=True).click()
    assert steps_shown(page) == pytest.approx(before, rel=0.03)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.querySelector('.u-over')?.getBoundingClientRect().width > 0")
    page.wait_for_timeout(100)
    assert steps_shown(page) == pytest.approx(before, rel=0.03)


def test_zero_is_left_out_of_a_logarithmic_axis_and_read_all_the_same(open_page: Open, moe: Path) -> None:
    page = open_page(moe, "--log")
    hover(page, 0.5)
    assert value_of(page, "biases", "wd") == 0.0


def test_colours_follow_the_viewers_setting(open_page: Open, moe: Path) -> None:
    page = open_page(moe, dark=True)
    assert (bool(heights(page, SKY)), heights(page, BLUE)) == (True, [])
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(23, 27, 33)"
    page.emulate_media(color_scheme="light")
    page.wait_for_timeout(50)
    assert (heights(page, SKY), bool(heights(page, BLUE))) == ([], True)


def test_a_browser_without_a_valid_language_shows_the_page(open_page: Open, moe: Path) -> None:
    c_locale = "Object.defineProperty(navigator, 'language', { value: 'C', configurable: true })"
    page = open_page(moe, before=c_locale)
    assert page.locator(".u-over").count() == 2


def test_the_keyboard_reads_and_zooms(open_page: Open, moe: Path, schedule: Schedule) -> None:
    page = open_page(moe)
    page.locator(".plot").first.focus()
    page.keyboard.press("Home")
    assert step_of(page) == 0
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowRight")
    assert value_of(page, "router") == schedule.lr_at(step_of(page), "router") > 0
    everything = steps_shown(page)
    hover(page, 0.5)
    page.keyboard.press("+")
    assert steps_shown(page) == pytest.approx(everything / 2, rel=0.03)
    page.keyboard.press("Escape")
    assert steps_shown(page) == everything


def test_every_control_is_reached_with_the_tabulator(open_page: Open, moe: Path) -> None:
    page = open_page(moe)
    reached = []
    for _ in range(14):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.value || document.activeElement.className"))
    assert reached[:9] == ["tokens", "on", "reset", "plot", "plot", "group", "group", "group", "line"]


def test_a_finding_leads_to_its_line(open_page: Open, moe: Path) -> None:
    page = open_page(moe)
    page.get_by_role("button", name="line 6").click()
    assert page.evaluate("document.activeElement.textContent") == "lr_warmup_steps: 2000 iters"


def test_a_hostile_file_is_shown_as_it_is(open_page: Open, moe: Path) -> None:
    hostile = "# </script><script>document.title = 'broken'</script><img src=x onerror=alert(1)>"
    moe.write_text(f"{moe.read_text()}{hostile}\n")
    page = open_page(moe, "--title", hostile)
    assert page.title() == hostile
    assert page.locator(".text li").last.inner_text() == hostile


def test_a_schedule_without_weight_decay_or_end_is_shown(open_page: Open, tmp_path: Path) -> None:
    file = tmp_path / "open.toml"
    file.write_text('max_lr = 1e-3\nlr_decay_steps = "open"\nlr_decay_style = "constant"\n')
    page = open_page(file)
    hover(page, 0.5)
    assert value_of(page, "default") == 1e-3


PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "predict-the-loss.md").read_text()
FILE = re.compile(r"<!-- file: (\S+) -->\n```\w*\n(.*?\n)```", re.DOTALL)


def test_a_predicted_loss_is_read_and_drawn(chromium: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in FILE.findall(PAGE):
        Path(name).write_text(text)
    if cli("predict", "--fit", "cosine.jsonl:cosine.yaml", "half.yaml", "most.yaml", "-o", "page.html").code == 2:
        pytest.skip("the page is not built")
    page, said = chromium.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto((tmp_path / "page.html").as_uri())
    hover(page, 0.999)
    assert value_of(page, "default", "loss") == pytest.approx(1.2365, abs=0.001)
    hover(page, 0.02)
    assert page.locator('[data-group="0/default"][data-quantity="loss"]').inner_text() == "\u2013"
    assert max(heights(page, BLUE)) - min(heights(page, BLUE)) > 0.4  # the axis of a loss does not begin at 0
    page.close()
    assert said == []
