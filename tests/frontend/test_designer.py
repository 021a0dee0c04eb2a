"""``schedframe design`` in a real browser: a person types, looks, saves, and meets somebody else's changes."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import schedframe
from schedframe import load

from ..designer import Designer, designing
from ..runs import FILE

Open = Callable[..., Any]
CONFLICT = "Failed to load resource: the server responded with a status of 409 (Conflict)"


class Person:
    """Somebody at a page of the designer."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def type_at(self, line: str, text: str) -> None:
        """Type at the end of the first line that contains `line`."""
        self.page.locator(".cm-line", has_text=line).first.click()
        self.page.keyboard.press("End")
        self.page.keyboard.type(text)

    def replace(self, line: str, text: str) -> None:
        """Type `text` in the place of the first line that contains `line`."""
        self.page.locator(".cm-line", has_text=line).first.click()
        self.page.keyboard.press("End")
        self.page.keyboard.press("Shift+Home")
        self.page.keyboard.press("Delete")  # Chromium logs that it may not style what is typed over a selection
        self.page.keyboard.type(text)
        self.page.keyboard.press("Escape")  # closes what is offered

    def text(self) -> str:
        return "\n".join(self.page.locator(".cm-line").all_inner_texts()).replace("\n\n", "\n")

    def peak(self) -> float:
        """Return the learning rate that is read at first: the highest one."""
        return float(self.page.locator('[data-group="0/default"][data-quantity="lr"]').inner_text())

    def sees(self, selector: str, text: str | re.Pattern[str] = "") -> None:
        """Wait until an element is shown, with a text in it."""
        self.page.locator(selector, has_text=text).first.wait_for()

    def sees_no(self, selector: str, text: str = "") -> None:
        self.page.locator(selector, has_text=text).first.wait_for(state="hidden")

    def sees_peak(self, value: float) -> None:
        """Wait until the curves of a text with this highest learning rate are there."""
        cell = '[data-group="0/default"][data-quantity="lr"]'
        self.page.wait_for_function(
            "([cell, value]) => Math.abs(document.querySelector(cell)?.textContent / value - 1) < 1e-12",
            arg=[cell, value],
        )

    def saves(self) -> None:
        self.page.keyboard.press("Control+s")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "run.yaml"
    path.write_text(FILE)
    return path


@pytest.fixture
def open_page(chromium: Any) -> Iterator[Open]:
    """Open the page of a designer; what it logs besides conflicts, or requests elsewhere, fails the test."""
    with ExitStack() as ends:
        said: list[str] = []
        requested: list[str] = []
        addresses: list[str] = []

        def open_page(designer: Designer, **options: Any) -> Person:
            context = chromium.new_context(viewport={"width": 1300, "height": 900}, **options)
            ends.callback(context.close)
            page = context.new_page()
            page.on("console", lambda message: said.append(message.text))
            page.on("pageerror", lambda error: said.append(str(error)))
            page.on("request", lambda request: requested.append(request.url))
            addresses.append(f"http://127.0.0.1:{designer.port}/")
            page.goto(designer.address)
            page.locator(".found > *").first.wait_for()
            return Person(page)

        yield open_page
        assert [line for line in said if line != CONFLICT] == []
        assert all(address.startswith(tuple(addresses)) for address in requested)


@pytest.fixture
def designer(file: Path) -> Iterator[Designer]:
    with designing(file) as designer:
        yield designer


def test_a_session_of_ten_edits_with_two_errors(designer: Designer, open_page: Open, file: Path) -> None:
    person = open_page(designer)
    person.sees_peak(3e-4)
    person.replace("max_lr", "max_lr: 5e-4")
    person.sees_peak(5e-4)
    person.replace("max_lr", "max_lr: much")
    person.sees(".findings .error", "max_lr = 'much': is not a number")
    person.sees(".faint canvas")
    person.sees(".stale", "The text has errors")
    person.replace("max_lr", "max_lr: 2e-4")
    person.sees_no(".faint canvas")
    person.sees_peak(2e-4)
    person.replace("min_lr", "min_lr: 5%")
    person.replace("train_samples", "train_samples: 8000")
    person.sees(".summary", "decay 8K")
    person.replace("lr_warmup_steps", "lr_warmup_stesp: 200")
    person.sees(".findings .error", "did you mean 'lr_warmup_steps'")
    person.replace("lr_warmup", "lr_warmup_steps: 200")
    person.sees(".summary", "warmup 200")
    person.replace("lr_decay_style", "lr_decay_style: cosine")
    person.sees(".summary", "cosine")
    person.replace("start_wd", "start_wd: 0.05")
    person.sees(".summary", "weight decay 0.05")
    person.type_at("start_wd", "\nseq_length: 4096")
    person.sees(".units", "tokens")
    assert file.read_text() == FILE
    person.saves()
    person.sees(".state", re.compile("^saved$"))
    schedule = load(file)
    assert (schedule.max_lr, schedule.min_lr, schedule.lr_warmup_steps) == (2e-4, 2e-4 * 0.05, 200)
    assert (schedule.lr_style.style, schedule.start_wd) == ("cosine", 0.05)


def test_a_finding_is_at_its_line_and_leads_there(designer: Designer, open_page: Open) -> None:
    person = open_page(designer)
    person.replace("start_wd", "strat_wd: 0.1")
    person.sees(".cm-lintRange-error", "strat_wd: 0.1")
    person.page.locator(".cm-line").first.click()
    person.page.get_by_role("button", name="line 6").click()
    assert person.page.locator(".cm-activeLine").inner_text() == "strat_wd: 0.1"


def test_curves_of_the_last_good_text_stay_as_they_were_looked_at(designer: Designer, open_page: Open) -> None:
    person = open_page(designer)
    person.page.get_by_role("checkbox", name="logarithmic").check()
    person.page.get_by_role("button", name="default").click()
    person.replace("max_lr", "max_lr: 5e-4")
    person.sees_peak(5e-4)
    assert person.page.get_by_role("checkbox", name="logarithmic").is_checked()
    assert person.page.get_by_role("button", name="default").get_attribute("aria-pressed") == "false"


def test_the_zoom_stays_while_the_text_changes(designer: Designer, open_page: Open) -> None:
    person = open_page(designer)
    box = person.page.locator(".u-over").first.bounding_box()
    person.page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 60)
    person.page.mouse.down()
    person.page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 60, steps=5)
    person.page.mouse.up()
    person.replace("max_lr", "max_lr: 5e-4")
    person.sees(".summary", "max LR 5e-4")
    person.page.locator(".u-over").first.hover(position={"x": 1, "y": 60})
    step = float(person.page.locator(".place").first.get_attribute("data-step"))
    assert step == pytest.approx(2500, abs=50)


def test_a_text_with_errors_opens_and_is_repaired(designer: Designer, open_page: Open, file: Path) -> None:
    file.write_text(FILE.replace("3e-4", "much"))
    person = open_page(designer)
    person.sees(".findings .error", "is not a number")
    person.sees(".curves", "The curves are drawn once the text can be loaded.")
    person.replace("max_lr", "max_lr: 4e-4")
    person.sees_peak(4e-4)


def test_old_and_new_are_overlaid(designer: Designer, open_page: Open) -> None:
    person = open_page(designer)
    person.replace("max_lr", "max_lr: 5e-4")
    person.page.get_by_label("compare with the file on disk").check()
    person.sees(".readout button.file", "run.yaml on disk")
    old, new = (
        float(person.page.locator(f'[data-group="{index}/default"][data-quantity="lr"]').inner_text())
        for index in (1, 0)
    )
    assert (old, new) == (3e-4, 5e-4)
    person.page.get_by_label("compare with the file on disk").uncheck()
    person.sees_no(".readout button.file", "run.yaml on disk")


def test_keys_styles_and_their_options_are_completed(designer: Designer, open_page: Open) -> None:
    person = open_page(designer)
    person.type_at("start_wd", "\nend_")
    person.page.locator(".cm-tooltip-autocomplete", has_text="end_wd").wait_for()
    person.page.wait_for_timeout(200)  # a completion that has just appeared is not taken yet
    person.page.keyboard.press("Enter")
    person.page.keyboard.type("0.2\nwd_incr_style: ")
    person.page.locator(".cm-tooltip-autocomplete", has_text="cosine").wait_for()
    person.page.keyboard.type("lin")
    person.page.locator("li[aria-selected]", has_text="linear").wait_for()
    person.page.wait_for_timeout(200)
    person.page.keyboard.press("Tab")
    assert person.page.locator(".cm-activeLine").inner_text() == "wd_incr_style: linear"
    person.replace("lr_decay_style", "lr_decay_style: {style: WSD, ")
    person.page.keyboard.press("Control+Space")
    person.page.locator(".cm-tooltip-autocomplete").wait_for()
    offered = person.page.locator(".cm-tooltip-autocomplete .cm-completionLabel").all_inner_texts()
    assert sorted(offered) == ["floor", "lr_wsd_decay_style", "wsd_decay_steps"]


def test_nothing_is_offered_within_a_value_of_several_words(designer: Designer, open_page: Open) -> None:
    person = open_page(designer)
    person.type_at("start_wd", "\nwd_incr_steps: 20 ite")
    person.page.wait_for_timeout(500)
    assert person.page.locator(".cm-tooltip-autocomplete").count() == 0
    person.page.keyboard.press("Control+Space")
    person.page.wait_for_timeout(300)
    assert person.page.locator(".cm-tooltip-autocomplete").count() == 0


def test_a_style_of_an_imported_file_is_completed(tmp_path: Path, file: Path, open_page: Open) -> None:
    module = tmp_path / "own.py"
    module.write_text(
        "from typing import Literal\nimport schedframe\nfrom schedframe.styles import LRCurve\n"
        'class Own(LRCurve):\n    """Ours."""\n    style: Literal["own"] = "own"\n'
        "    def coefficient(self, progress):\n        return 1 - progress\n"
        "schedframe.lr_styles.register(Own)\n"
    )
    with designing(file, "--import", module) as designer:
        person = open_page(designer)
        person.replace("lr_decay_style", "lr_decay_style: ow")
        person.page.keyboard.press("Control+Space")
        person.sees(".cm-tooltip-autocomplete .cm-completionLabel", "own")


def test_enter_behind_a_whole_word_begins_a_line(designer: Designer, open_page: Open) -> None:
    person = open_page(designer)
    person.type_at("start_wd", "\nwd_incr_style: constant\nend_wd: 0.1")
    person.sees(".state", "not saved")
    assert [line for line in person.text().splitlines() if line][-2:] == ["wd_incr_style: constant", "end_wd: 0.1"]


def test_a_conflict_on_disk_is_shown_and_the_own_text_kept(designer: Designer, open_page: Open, file: Path) -> None:
    person = open_page(designer)
    person.replace("max_lr", "max_lr: 5e-4")
    other = FILE.replace("0.1", "0.2")
    file.write_text(other)
    person.saves()
    person.sees(".alert", "run.yaml was changed on disk since it was opened here")
    assert file.read_text() == other
    person.page.get_by_role("button", name="Show differences").click()
    person.sees(".cm-deletedChunk", "start_wd: 0.2")
    person.page.get_by_role("button", name="Save anyway").click()
    person.sees(".state", re.compile("^saved$"))
    assert file.read_text() == FILE.replace("3e-4", "5e-4")
    assert person.page.locator(".alert:visible, .cm-deletedChunk").count() == 0


def test_what_is_on_disk_is_taken(designer: Designer, open_page: Open, file: Path) -> None:
    person = open_page(designer)
    person.replace("max_lr", "max_lr: 5e-4")
    file.write_text(FILE.replace("3e-4", "7e-4"))
    person.saves()
    person.page.get_by_role("button", name="Load the version on disk").click()
    person.sees_peak(7e-4)
    person.sees(".state", re.compile("^saved$"))
    person.page.keyboard.press("Control+z")  # brings the own text back


def test_a_removed_file_is_written_again_by_who_insists(designer: Designer, open_page: Open, file: Path) -> None:
    person = open_page(designer)
    file.unlink()
    person.saves()
    person.sees(".alert", "was removed from the disk")
    person.page.get_by_role("button", name="Save anyway").click()
    person.sees_no(".alerts .alert")
    assert person.page.locator(".alerts").inner_text() == ""
    assert file.read_text() == FILE


def test_two_saves_in_a_row_are_no_conflict(designer: Designer, open_page: Open, file: Path) -> None:
    person = open_page(designer)
    person.replace("max_lr", "max_lr: 5e-4")
    for _ in range(3):
        person.saves()
    person.sees(".state", re.compile("^saved$"))
    person.page.wait_for_timeout(200)
    assert person.page.locator(".alert:visible").count() == 0


def test_a_second_tab_sees_what_the_first_one_saved(designer: Designer, open_page: Open, file: Path) -> None:
    first, second = open_page(designer), open_page(designer)
    first.replace("max_lr", "max_lr: 5e-4")
    second.replace("max_lr", "max_lr: 6e-4")
    first.sees_peak(5e-4)
    second.sees_peak(6e-4)
    first.saves()
    first.sees(".state", re.compile("^saved$"))
    second.saves()
    second.sees(".alert", "was changed on disk since it was opened here")
    assert load(file).max_lr == 5e-4


def test_a_new_file_is_made_by_saving(tmp_path: Path, open_page: Open) -> None:
    file = tmp_path / "new.toml"
    with designing(file) as designer:
        person = open_page(designer)
        person.sees(".state", "not on disk yet")
        assert not file.exists()
        person.page.get_by_role("button", name="Save").click()
        person.sees(".state", re.compile("^saved$"))
    assert schedframe.load(file).lr_style.style == "WSD"


def test_leaving_with_text_that_is_not_saved_asks(designer: Designer, open_page: Open) -> None:
    person = open_page(designer)
    asked: list[str] = []
    person.page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    person.replace("max_lr", "max_lr: 5e-4")
    person.page.close(run_before_unload=True)
    person.page.wait_for_timeout(300)
    assert asked == ["beforeunload"]


def test_leaving_with_text_that_is_saved_ends_the_command(designer: Designer, open_page: Open) -> None:
    person = open_page(designer)
    person.replace("max_lr", "max_lr: 5e-4")
    person.saves()
    person.sees(".state", re.compile("^saved$"))
    person.page.close(run_before_unload=True)
    assert designer.ended() == (0, "ended\n", "")


def test_a_page_that_is_loaded_again_goes_on(designer: Designer, open_page: Open) -> None:
    person = open_page(designer)
    for _ in range(3):
        person.page.reload()
        person.page.wait_for_timeout(1500)
    person.replace("max_lr", "max_lr: 5e-4")
    person.sees_peak(5e-4)


def test_the_text_of_a_page_whose_command_has_ended_can_be_copied(
    chromium: Any, designer: Designer, file: Path
) -> None:
    page = chromium.new_page()
    page.goto(designer.address)
    person = Person(page)
    person.sees_peak(3e-4)
    designer.interrupt()
    designer.ended()
    person.sees(".alert", "The command that serves this page has ended")
    person.replace("max_lr", "max_lr: 5e-4")
    person.saves()
    person.sees(".alert", "Not saved: the command that serves this page has ended")
    page.close()
    assert file.read_text() == FILE


def test_a_hostile_text_is_shown_as_it_is(tmp_path: Path, open_page: Open) -> None:
    hostile = "# </script><script>document.title = 'broken'</script><img src=x onerror=alert(1)>"
    file = tmp_path / "run.yaml"
    file.write_text(f"{hostile}\n{FILE}'</script><b>': 1\n")
    with designing(file) as designer:
        person = open_page(designer)
        person.sees(".findings .error", "</script><b>")
        assert person.page.title() == "run.yaml"
        assert person.page.locator(".cm-line").first.inner_text() == hostile


def test_one_stands_below_the_other_on_a_narrow_screen(designer: Designer, open_page: Open) -> None:
    person = open_page(designer)
    person.sees_peak(3e-4)

    def boxes() -> tuple[Any, Any]:
        return tuple(person.page.locator(where).bounding_box() for where in (".written", ".drawn"))

    left, right = boxes()
    assert left["x"] + left["width"] <= right["x"]
    person.page.set_viewport_size({"width": 600, "height": 900})
    above, below = boxes()
    assert (above["x"] == below["x"], above["y"] + above["height"] <= below["y"]) == (True, True)
    assert person.page.evaluate("document.documentElement.scrollWidth") <= 600


def test_every_control_has_a_name(designer: Designer, open_page: Open) -> None:
    person = open_page(designer)
    person.sees_peak(3e-4)
    unnamed = person.page.evaluate(
        "[...document.querySelectorAll('button, input, [role=textbox]')].filter((e) =>"
        " !(e.textContent || e.labels?.[0]?.textContent || e.getAttribute('aria-label'))).length"
    )
    assert unnamed == 0
