"""Writing a file whole or not at all, with real processes."""

import os
import random
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

import schedframe
from schedframe import ConfigError
from schedframe._files.write import write_new

ROOT = str(Path(schedframe.__file__).parents[1])
posix_only = pytest.mark.skipif(os.name != "posix", reason="needs the permissions and signals of POSIX")


def refused(path, text="new", **options):
    before = sorted(path.parent.iterdir()) if path.parent.is_dir() else []
    with pytest.raises(ConfigError) as caught:
        write_new(path, text, **options)
    assert (sorted(path.parent.iterdir()) if path.parent.is_dir() else []) == before
    assert caught.value.where == str(path)
    (problem,) = caught.value.problems
    return problem.message


def start(script, *arguments):
    """Run `script` in a process of its own, with `write_new` and `Path` at hand."""
    head = "import os, sys\nfrom pathlib import Path\nfrom schedframe import ConfigError\n"
    return subprocess.Popen(
        [sys.executable, "-c", f"{head}from schedframe._files.write import write_new\n{script}", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": ROOT},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def run(script, *arguments):
    with start(script, *arguments) as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return output.splitlines()


def test_the_text_is_written_as_it_is(tmp_path):
    path = tmp_path / "run.yaml"
    write_new(path, "größer: 1\r\n\nb: 2")
    assert path.read_bytes() == "größer: 1\r\n\nb: 2".encode()
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_there_stays_unless_it_is_to_be_overwritten(tmp_path):
    path = tmp_path / "run.yaml"
    write_new(path, "old")
    assert refused(path) == "already exists; choose another name, or allow it to be overwritten"
    assert path.read_text() == "old"
    write_new(path, "new", overwrite=True)
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_overwriting_creates_a_file_that_is_not_there(tmp_path):
    write_new(tmp_path / "run.yaml", "new", overwrite=True)
    assert (tmp_path / "run.yaml").read_text() == "new"


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("name", ["same", "spelling", "relative", "link", "hard link", "folder link", "chain"])
def test_the_parent_is_never_written_by_any_name(tmp_path, monkeypatch, name, overwrite):
    parent = tmp_path / "parent.yaml"
    parent.write_text("parent")
    (tmp_path / "folder").mkdir()
    names = {
        "same": parent,
        "spelling": tmp_path / "folder" / ".." / "parent.yaml",
        "relative": Path("parent.yaml"),
        "link": tmp_path / "link.yaml",
        "hard link": tmp_path / "hard.yaml",
        "folder link": tmp_path / "linked" / "parent.yaml",
        "chain": tmp_path / "chain.yaml",
    }
    monkeypatch.chdir(tmp_path)
    names["link"].symlink_to(parent)
    names["chain"].symlink_to("link.yaml")
    names["hard link"].hardlink_to(parent)
    (tmp_path / "linked").symlink_to(tmp_path)
    message = refused(names[name], overwrite=overwrite, never=[tmp_path / "other.yaml", parent])
    assert message == f"is the same file as {parent}, which is never overwritten; choose another name"
    assert parent.read_text() == "parent"


def test_a_parent_that_is_gone_is_not_written_again(tmp_path):
    gone = tmp_path / "gone.yaml"
    assert "is the same file as" in refused(gone, never=[tmp_path / "." / "gone.yaml"])
    assert not gone.exists()


def test_a_link_to_another_file_is_replaced_and_not_followed(tmp_path):
    other, link = tmp_path / "other.yaml", tmp_path / "link.yaml"
    other.write_text("other")
    link.symlink_to(other)
    assert "already exists" in refused(link)
    write_new(link, "new", overwrite=True)
    assert (other.read_text(), link.read_text(), link.is_symlink()) == ("other", "new", False)


def test_a_link_to_nothing_is_there_already(tmp_path):
    (tmp_path / "link.yaml").symlink_to(tmp_path / "nothing.yaml")
    assert "already exists" in refused(tmp_path / "link.yaml")
    assert not (tmp_path / "nothing.yaml").exists()


def test_a_missing_folder_is_named(tmp_path):
    path = tmp_path / "missing" / "run.yaml"
    assert refused(path) == f"cannot be written: there is no folder {path.parent}"


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_cannot_be_written_is_a_sentence(tmp_path, overwrite):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inner").mkdir()
    for name in ("file/run.yaml", "folder", "n" * 300, "null\0"):
        assert refused(tmp_path / name, overwrite=overwrite).startswith(("cannot be written: ", "already exists; "))


@posix_only
def test_the_mode_is_that_of_a_new_file(tmp_path):
    before = os.umask(0o027)
    try:
        write_new(tmp_path / "run.yaml", "new")
        write_new(tmp_path / "run.yaml", "new", overwrite=True)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "run.yaml").stat().st_mode) == 0o640


@posix_only
def test_a_folder_that_may_not_be_written_is_a_sentence():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "old.yaml").write_text("old")
        Path(folder).chmod(0o555)
        script = """
if os.geteuid() == 0:
    os.setuid(65534)
for name, overwrite in ("new.yaml", False), ("old.yaml", True):
    try:
        write_new(Path(sys.argv[1], name), "new", overwrite=overwrite)
    except ConfigError as error:
        print(error.problems[0])
"""
        assert run(script, folder) == ["cannot be written: Permission denied"] * 2
        assert os.listdir(folder) == ["old.yaml"]
        assert Path(folder, "old.yaml").read_text() == "old"


@posix_only
@pytest.mark.parametrize("overwrite", [False, True])
def test_no_room_leaves_everything_as_it_was(tmp_path, overwrite):
    path = tmp_path / "run.yaml"
    if overwrite:
        path.write_text("old")
    script = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_new(Path(sys.argv[1]), "x" * 100_000, overwrite=sys.argv[2] == "True")
except ConfigError as error:
    print(error.problems[0])
"""
    assert run(script, path, overwrite) == ["cannot be written: File too large"]
    assert [entry.read_text() for entry in tmp_path.iterdir()] == ["old"] * overwrite


def no_links(*names):
    raise PermissionError(1, "Operation not permitted")


@pytest.mark.parametrize("call", ["fsync", "link", "replace"])
def test_an_interrupt_leaves_nothing_behind(tmp_path, monkeypatch, call):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    if call == "replace":
        monkeypatch.setattr(os, "link", no_links)
    monkeypatch.setattr(os, call, interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_new(tmp_path / "run.yaml", "new")
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_without_hard_links_will_do(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "link", no_links)
    write_new(tmp_path / "run.yaml", "old")
    assert "already exists" in refused(tmp_path / "run.yaml")
    assert [entry.read_text() for entry in tmp_path.iterdir()] == ["old"]


@posix_only
def test_a_killed_writer_leaves_one_text_or_the_other(tmp_path):
    path = tmp_path / "run.yaml"
    script = """
path, texts = Path(sys.argv[1]), ["a" * 300_000, "b" * 500_000]
while True:
    for text in texts:
        write_new(path, text, overwrite=True)
        print(flush=True)
"""
    moment = random.Random(0)
    for _ in range(8):
        with start(script, path) as process:
            process.stdout.readline()
            time.sleep(moment.uniform(0, 0.03))
            process.send_signal(signal.SIGKILL)
        assert path.read_text() in ("a" * 300_000, "b" * 500_000)
    assert all(entry == path or entry.name.startswith(".schedframe-") for entry in tmp_path.iterdir())


@pytest.mark.parametrize("links", [True, False])
def test_of_two_that_create_the_same_file_exactly_one_wins(tmp_path, links):
    script = """
folder, name, links = sys.argv[1:]
if links == "False":
    del os.link
print("ready", flush=True)
sys.stdin.readline()
for number in range(200):
    try:
        write_new(Path(folder, str(number)), name * 10_000)
        print(number)
    except ConfigError as error:
        assert "already exists" in str(error), error
"""
    with start(script, tmp_path, "a", links) as first, start(script, tmp_path, "b", links) as second:
        for process in (first, second):
            assert process.stdout.readline() == "ready\n"
        for process in (first, second):
            process.stdin.write("go\n")
            process.stdin.flush()
        won = {"a": first.stdout.read().split(), "b": second.stdout.read().split()}
    assert first.returncode == second.returncode == 0
    assert sorted(won["a"] + won["b"], key=int) == [str(number) for number in range(200)]
    assert len(list(tmp_path.iterdir())) == 200
    for name, numbers in won.items():
        assert {(tmp_path / number).read_text() for number in numbers} <= {name * 10_000}
