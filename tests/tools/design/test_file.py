"""The one file that is designed: what its text declares, what it may read, and how it is saved."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest

import schedframe
from schedframe import ConfigError
from schedframe._tools.design.file import ChangedMeanwhileError, DesignedFile

from ...runs import FILE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "run.yaml"
    path.write_text(FILE)
    return path


@pytest.fixture
def file(path: Path) -> DesignedFile:
    return DesignedFile(path)


def errors(checked: dict[str, Any]) -> list[tuple[int, str]]:
    return [(found["line"], found["subject"]) for found in checked["findings"] if found["severity"] == "error"]


def test_a_text_is_checked_as_check_does_it(file: DesignedFile, path: Path) -> None:
    text = FILE.replace("lr_warmup_steps: 100", "lr_warmup_steps: 4000")
    checked = file.check(text, with_saved=False)
    path.write_text(text)
    expected = [found.code for found in schedframe.load(path).findings()]
    assert sorted(found["code"] for found in checked["findings"]) == sorted(expected)


def test_the_page_is_that_of_the_text_and_not_of_the_disk(file: DesignedFile) -> None:
    page = file.check(FILE.replace("3e-4", "5e-4"), with_saved=False)["page"]
    assert max(page["panels"][0]["curves"][0]["values"]) == 5e-4
    assert page["files"][0]["texts"][0]["text"] == FILE.replace("3e-4", "5e-4")


def test_every_error_is_at_its_line(file: DesignedFile) -> None:
    checked = file.check(FILE.replace("100", "many").replace("start_wd", "strat_wd"), with_saved=False)
    assert errors(checked) == [(4, "lr_warmup_steps = 'many'"), (6, "strat_wd = 0.1")]
    assert (checked["page"], checked["summary"]) == (None, "")


def test_a_text_that_is_no_yaml_is_an_error_at_its_line(file: DesignedFile) -> None:
    assert errors(file.check("max_lr: 1\nmin_lr: {", with_saved=False)) == [(2, "")]


def test_the_file_on_disk_is_overlaid(file: DesignedFile) -> None:
    page = file.check(FILE.replace("3e-4", "5e-4"), with_saved=True)["page"]
    assert [shown["name"] for shown in page["files"]] == ["run.yaml", "run.yaml on disk"]
    assert [max(curve["values"]) for curve in page["panels"][0]["curves"]] == [5e-4, 3e-4]


def test_a_file_on_disk_that_cannot_be_loaded_is_not_overlaid(file: DesignedFile, path: Path) -> None:
    path.write_text("max_lr: much\n")
    checked = file.check(FILE, with_saved=True)
    assert len(checked["page"]["files"]) == 1
    assert checked["notes"][0].startswith("The file on disk is not overlaid: ")


def test_curves_that_cannot_be_drawn_leave_the_findings(file: DesignedFile) -> None:
    checked = file.check(f"{FILE}init_lr: current\nstart_step: 1000\n", with_saved=False)
    assert (checked["page"], checked["notes"][0][:28]) == (None, "The curves cannot be drawn: ")
    assert checked["summary"]


def test_a_file_that_the_file_extends_is_read(path: Path) -> None:
    child = path.with_name("child.yaml")
    child.write_text("extends: run.yaml\nmax_lr: 1e-4\n")
    page = DesignedFile(child).check("extends: run.yaml\nmax_lr: 2e-4\n", with_saved=False)["page"]
    assert max(page["panels"][0]["curves"][0]["values"]) == 2e-4
    assert [text["file"] for text in page["files"][0]["texts"]] == [str(child), str(path)]


@pytest.mark.parametrize("name", ["other.yaml", "../../etc/passwd", "/etc/passwd", "sub/../other.yaml"])
@pytest.mark.parametrize("saves", [False, True])
def test_a_file_that_is_typed_is_not_read(file: DesignedFile, path: Path, name: str, saves: bool) -> None:
    path.with_name("other.yaml").write_text("secret: 1\n")
    text = f"extends: {name}\n{FILE}"
    if saves:
        file.save(text, file.beginning()["fingerprint"])
    checked = file.check(text, with_saved=True)
    assert errors(checked) == [(1, f"extends = {name!r}")]
    assert "secret" not in str(checked)


def test_a_text_that_extends_nothing_is_overlaid_by_no_file_that_was_typed(file: DesignedFile, path: Path) -> None:
    path.with_name("other.yaml").write_text("secret: 1\n")
    file.save(f"extends: other.yaml\n{FILE}", file.beginning()["fingerprint"])
    assert "secret" not in str(file.check(FILE, with_saved=True))


def test_save_writes_the_text(file: DesignedFile, path: Path) -> None:
    begin = file.beginning()
    fingerprint = file.save("max_lr: 1\n", begin["fingerprint"])
    assert path.read_text() == "max_lr: 1\n"
    assert file.beginning()["fingerprint"] == fingerprint != begin["fingerprint"]


def test_a_text_with_errors_is_saved_too(file: DesignedFile, path: Path) -> None:
    file.save("max_lr: {", file.beginning()["fingerprint"])
    assert path.read_text() == "max_lr: {"


@pytest.mark.parametrize("other", ["max_lr: 2\n", None])
def test_save_refuses_where_the_file_was_changed_or_removed(file: DesignedFile, path: Path, other: str | None) -> None:
    begin = file.beginning()
    path.unlink() if other is None else path.write_text(other)
    with pytest.raises(ChangedMeanwhileError) as caught:
        file.save("max_lr: 1\n", begin["fingerprint"])
    assert caught.value.kept.text == other
    assert (path.read_text() if path.exists() else None) == other


def test_a_change_is_overwritten_by_who_has_seen_it(file: DesignedFile, path: Path) -> None:
    path.write_text("max_lr: 2\n")
    with pytest.raises(ChangedMeanwhileError) as caught:
        file.save("max_lr: 1\n", "what it was")
    file.save("max_lr: 1\n", caught.value.kept.fingerprint)
    assert path.read_text() == "max_lr: 1\n"


def test_save_leaves_nothing_beside_the_file(file: DesignedFile, path: Path) -> None:
    file.save("max_lr: 1\n", file.beginning()["fingerprint"])
    assert list(path.parent.iterdir()) == [path]


def test_permissions_stay(file: DesignedFile, path: Path) -> None:
    path.chmod(0o640)
    file.save("max_lr: 1\n", file.beginning()["fingerprint"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_stays_a_link(path: Path) -> None:
    link = path.with_name("link.yaml")
    link.symlink_to(path.name)
    file = DesignedFile(link)
    file.save("max_lr: 1\n", file.beginning()["fingerprint"])
    assert (os.readlink(link), path.read_text()) == (path.name, "max_lr: 1\n")


@pytest.mark.parametrize(
    ("content", "saved"),
    [
        (b"max_lr: 2\r\nmin_lr: 0\r\n", b"max_lr: 1\r\nmin_lr: 0\r\n"),
        (b"\xef\xbb\xbfmax_lr: 2\n", b"\xef\xbb\xbfmax_lr: 1\nmin_lr: 0\n"),
        (b"max_lr: 2\r\nmin_lr: 0\n", b"max_lr: 1\nmin_lr: 0\n"),
        (b"", b"max_lr: 1\nmin_lr: 0\n"),
    ],
)
def test_line_ends_and_the_byte_order_mark_stay(path: Path, content: bytes, saved: bytes) -> None:
    path.write_bytes(content)
    file = DesignedFile(path)
    file.save("max_lr: 1\nmin_lr: 0\n", file.beginning()["fingerprint"])
    assert path.read_bytes() == saved


def test_line_ends_that_will_change_are_reported(path: Path) -> None:
    path.write_bytes(b"max_lr: 2\r\nmin_lr: 0\n")
    assert DesignedFile(path).beginning()["notes"] == [
        "The file has mixed line endings; saving replaces them with line feeds."
    ]


@pytest.mark.parametrize("name", ["new.yaml", "new.yml", "new.toml", "new.json"])
def test_a_new_file_begins_with_a_schedule(tmp_path: Path, name: str) -> None:
    file = DesignedFile(tmp_path / name)
    begin = file.beginning()
    checked = file.check(begin["text"], with_saved=False)
    assert (begin["isNew"], checked["page"] is not None) == (True, True)
    assert {found["severity"] for found in checked["findings"]} <= {"note"}
    file.save(begin["text"], begin["fingerprint"])
    assert schedframe.load(tmp_path / name).max_lr == 3e-4


def test_a_new_file_does_not_replace_one_that_appears(tmp_path: Path) -> None:
    file = DesignedFile(tmp_path / "new.yaml")
    begin = file.beginning()
    file.path.write_text("max_lr: 2\n")
    with pytest.raises(ChangedMeanwhileError):
        file.save(begin["text"], begin["fingerprint"])


@pytest.mark.parametrize(
    ("name", "fault"),
    [("run.txt", "unknown suffix"), ("no/run.yaml", "there is no folder"), ("folder.yaml", "it is a folder")],
)
def test_a_file_that_cannot_be_designed_is_refused(tmp_path: Path, name: str, fault: str) -> None:
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(ConfigError, match=fault):
        DesignedFile(tmp_path / name)


def test_a_file_that_is_no_text_is_never_replaced(file: DesignedFile, path: Path) -> None:
    begin = file.beginning()
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        file.save("max_lr: 1\n", begin["fingerprint"])
    assert path.read_bytes() == b"\xff\xfe"


def test_a_file_with_errors_can_be_designed(path: Path) -> None:
    path.write_text("max_lr: {")
    assert DesignedFile(path).beginning()["text"] == "max_lr: {"
