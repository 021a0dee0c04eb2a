"""What a release is made of: tags, the repository's address, contents of wheels, drafts for other indexes."""

import json
import re
import tarfile
import tomllib
import zipfile
from fnmatch import fnmatch
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from typer.main import get_command

from release import address, check, tag
from release.distributions import ROOT, Distribution, distributions
from schedframe._cli.app import app
from schedframe._files.config.document import FORMATS, read

KNOWN = distributions()
REX = KNOWN["schedframe-rex"]


def test_every_distribution_is_known() -> None:
    assert {distribution.project["name"] for distribution in KNOWN.values()} == KNOWN.keys()


@pytest.mark.parametrize("name", KNOWN)
def test_a_tag_names_its_distribution(name: str) -> None:
    assert tag.named_by(f"{name}-v{KNOWN[name].version}") == name


@pytest.mark.parametrize(
    ("tagged", "told"),
    [
        ("v0.1.0", "a release tag is NAME-vVERSION"),
        ("schedframe-nothing-v0.1.0", "there is no distribution schedframe-nothing"),
        ("schedframe-rex-v9.9.9", "schedframe-rex has version "),
    ],
)
def test_another_tag_is_refused(tagged: str, told: str) -> None:
    with pytest.raises(SystemExit, match=told):
        tag.named_by(tagged)


def test_the_address_of_the_repository_is_the_same_everywhere() -> None:
    assert address.others() == {}, "run python -m release.address"


@pytest.mark.parametrize("name", KNOWN)
def test_every_distribution_links_to_the_repository(name: str) -> None:
    assert KNOWN[name].project["urls"]["Repository"] == address.address()


def test_another_address_is_found_and_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "ROOT", tmp_path)
    check.run("git", "init", "--quiet", folder=tmp_path)
    old = f"https://{'git.example.org'}/us/schedframe"
    (tmp_path / "page.md").write_text(f"{old}/issues {old}-plugin-template\n")
    assert address.others() == {"page.md": {old}}
    address.write()
    new = f"{address.address()}/issues {address.address()}-plugin-template\n"
    assert (tmp_path / "page.md").read_text() == new


@pytest.mark.parametrize("text", ["https://pypi.org/project/schedframe", "https://github.com/us/schedframe-rex"])
def test_what_only_looks_like_the_address_is_kept(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "ROOT", tmp_path)
    check.run("git", "init", "--quiet", folder=tmp_path)
    (tmp_path / "page.md").write_text(text)
    assert address.others() == {}


def wheel(folder: Path, *names: str) -> Path:
    """Write a wheel of schedframe-rex with its metadata and the files `names`."""
    file = folder / f"schedframe_rex-{REX.version}-py3-none-any.whl"
    metadata = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
    with zipfile.ZipFile(file, "w") as archive:
        for name in (*names, *(f"schedframe_rex-{REX.version}.dist-info/{each}" for each in metadata)):
            archive.writestr(name, "")
    return file


def test_a_wheel_with_its_module_alone_is_right(tmp_path: Path) -> None:
    assert check.unexpected_in_wheel(wheel(tmp_path, "schedframe_rex.py"), REX) == []


def test_a_file_too_much_in_a_wheel_is_named(tmp_path: Path) -> None:
    (fault,) = check.unexpected_in_wheel(wheel(tmp_path, "schedframe_rex.py", "tests/test_rex.py"), REX)
    assert "has tests/test_rex.py, which is not to be installed" in fault


def test_a_file_that_a_wheel_lacks_is_named(tmp_path: Path) -> None:
    (fault,) = check.unexpected_in_wheel(wheel(tmp_path), REX)
    assert fault.endswith("lacks schedframe_rex.py")


@pytest.mark.parametrize(
    "plugin", [known for known in KNOWN.values() if not known.is_core], ids=lambda known: known.name
)
def test_a_plugin_installs_what_its_entry_points_name(plugin: Distribution) -> None:
    project = tomllib.loads((plugin.folder / "pyproject.toml").read_text())
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    tracked = {path for path in plugin.tracked() if path.partition("/")[0] in included}
    assert plugin.modules() == tracked


def test_a_source_distribution_has_nothing_that_git_does_not_track(tmp_path: Path) -> None:
    file = tmp_path / "schedframe_rex.tar.gz"
    with tarfile.open(file, "w:gz") as archive:
        for name in ("schedframe_rex.py", "PKG-INFO", "secret.txt"):
            archive.add(ROOT / "LICENSE", f"schedframe_rex-0.1.0/{name}")
    assert check.unexpected_in_source(file, REX) == [f"{file.name} has secret.txt, which git does not track"]


def test_a_program_that_fails_ends_the_check_with_what_it_printed() -> None:
    with pytest.raises(SystemExit, match="no such option"):
        check.run("python", "-m", "pip", "--nonsense")


def recipe() -> dict:
    return dict(read(ROOT / "release" / "conda-forge" / "recipe.yaml").data)


def test_the_recipe_of_conda_forge_has_the_version_and_the_oldest_python() -> None:
    core = KNOWN["schedframe"]
    context = {"version": core.version, "python_min": core.project["requires-python"].removeprefix(">=")}
    assert recipe()["context"] == context


def test_conda_forge_renders_its_recipe_once_for_every_python() -> None:
    pytest.importorskip("rattler_build")
    from release import conda

    recipe = conda.rendered().recipe.to_dict()
    assert recipe["build"]["noarch"] == "python"
    assert f"python >={recipe['context']['python_min']}" in recipe["requirements"]["run"]


def test_the_recipe_of_conda_forge_requires_what_the_core_and_its_command_line_require() -> None:
    project = KNOWN["schedframe"].project
    required = map(Requirement, [*project["dependencies"], *project["optional-dependencies"]["cli"]])
    wanted = {each.name: each.specifier for each in required}
    listed = [Requirement(line) for line in recipe()["requirements"]["run"] if "${{" not in line]
    assert {each.name: each.specifier for each in listed} == wanted


def test_the_entry_of_schemastore_knows_the_name_that_init_writes() -> None:
    entry = json.loads((ROOT / "release" / "schemastore.json").read_text())
    init = get_command(app).commands["init"].make_context("init", [], resilient_parsing=True).command
    (output,) = [each.default for each in init.params if each.name == "output"]
    assert any(fnmatch(str(output), pattern) for pattern in entry["fileMatch"])
    assert entry["fileMatch"] == [f"*.schedule{suffix}" for suffix in FORMATS]


def test_the_entry_of_schemastore_leads_to_the_schema_that_is_here() -> None:
    entry = json.loads((ROOT / "release" / "schemastore.json").read_text())
    path = entry["url"].removeprefix(f"{address.address()}/raw/main/")
    assert "max_lr" in json.loads((ROOT / path).read_text())["properties"]


def test_the_workflow_of_releases_takes_the_files_from_where_they_are_built() -> None:
    workflow = (ROOT / ".github" / "workflows" / "release.yml").read_text()
    assert "run: make release-check" in workflow
    assert f"path: {check.DIST.name}/${{{{ steps.tag.outputs.distribution }}}}/" in workflow


@pytest.mark.parametrize("file", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda file: file.name)
def test_every_action_is_pinned_to_a_commit(file: Path) -> None:
    used = re.findall(r"uses: (\S+)", file.read_text())
    assert [action for action in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action)] == []


@pytest.mark.parametrize("file", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda file: file.name)
def test_a_workflow_makes_only_what_the_makefile_has(file: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"run: make ([a-z-]+)", file.read_text())) - targets <= {"adapters"}
