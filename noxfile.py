"""Every version that docs/explanation/what-is-promised.md promises: Python, dependencies, Megatron, torch.

Without a name, ``nox`` runs the core on every Python that is here, and with the lowest dependencies. The others are
run by their names, such as ``nox --session "megatron(0.19.2)"``. Paths after ``--`` are tested in place of all.
"""

import os
from pathlib import Path

import nox
from nox.command import CommandFailed

PYENV_VERSIONS = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
if PYENV_VERSIONS.is_dir():
    # pyenv's python3.X commands run only versions that are switched on.
    os.environ["PYENV_VERSION"] = ":".join(sorted(folder.name for folder in PYENV_VERSIONS.iterdir()))

nox.options.error_on_missing_interpreters = False
nox.options.reuse_existing_virtualenvs = True

NEED_TORCH = (
    "schedframe/adapters",
    "tests/adapters",
    "tests/parity",
    "tests/e2e",
    "tests/megatron_lm",
    "tests/frameworks",
)
CORE_TESTS = ("schedframe", "tests", "plugins", *(f"--ignore={folder}" for folder in NEED_TORCH))
LOWEST = (
    "importlib-metadata==6.0.0",
    "packaging==22.0",
    "pluggy==1.5.0",
    "pydantic==2.6.0",
    "ruamel.yaml==0.18.0",
    "tomli-w==1.0.0",
    "typer==0.26.0",
    "rich==13.8.0",
    "plotext==6.1.0",
    "matplotlib==3.8.0",
    "pyparsing<3.3",  # of matplotlib 3.8, which calls what 3.3 deprecates
    "starlette==0.40.0",
    "uvicorn==0.30.0",
    "wsproto==1.2.0",
    "numpy==1.24.0",
    "jsonschema==4.18.0",
)
OTHERS_WARN = ("-W", "default", "-W", "error::schedframe.SchedframeWarning")
"""Warnings of a trainer are its own; ours are errors, as in every test."""
FRAMEWORKS = nox.project.load_toml("tests/adapters/frameworks.toml")
NEWEST = ("hatchling>=1.24", "editables>=0.5", "hydra-core>=1.3", "jsonargparse>=4.53", "pandas>=2.0")
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
PYDANTIC = ("2.6.0", "2.8.2", "2.10.6", "2.12.5")
TORCH = ("2.6.0", "2.13.0")
MEGATRON = {"0.16.0": "3.11", "0.16.1": "3.11", "0.17.1": "3.12", "0.18.2": "3.12", "0.19.2": "3.12"}
"""Versions of Megatron Core, each with the oldest Python for which it is published."""


@nox.session(python=PYTHONS)
def core(session: nox.Session) -> None:
    """Newest dependencies."""
    _test(session, *NEWEST)


@nox.session(python="3.12", default=False)
@nox.parametrize("version", PYDANTIC, ids=PYDANTIC)
def pydantic(session: nox.Session, version: str) -> None:
    """A version of pydantic, which containers for training have in many; newest otherwise."""
    _test(session, *NEWEST, f"pydantic=={version}")


@nox.session(default=False)
@nox.parametrize("python,version", [nox.param(python, version, id=version) for version, python in MEGATRON.items()])
def megatron(session: nox.Session, version: str) -> None:
    """A version of Megatron Core, whose class ours is equal to."""
    session.install(f"megatron-core=={version}", f"torch=={TORCH[-1]}", "psutil>=5.9")
    _test_with_torch(session, ("tests/parity", "tests/megatron"), *OTHERS_WARN)


@nox.session(python="3.11", default=False)
@nox.parametrize("version", TORCH, ids=TORCH)
def torch(session: nox.Session, version: str) -> None:
    """A version of torch, with real optimizers and real checkpoints."""
    session.install(f"torch=={version}", "numpy>=1.26")
    _test_with_torch(session, ("tests/adapters/test_torch.py", "tests/run", "tests/files"))


@nox.session(python="3.10")
def lowest(session: nox.Session) -> None:
    """The floor of every dependency, beside which hatchling cannot be: it needs a newer packaging."""
    _test(session, *LOWEST)


@nox.session(default=False)
@nox.parametrize("framework", [nox.param(name, id=name) for name in FRAMEWORKS])
def adapters(session: nox.Session, framework: str) -> None:
    """A trainer that cannot be installed beside the others, or that most do not need."""
    table = FRAMEWORKS[framework]
    try:
        session.install(*table["packages"])
        for package in table.get("without_dependencies", ()):
            session.install("--no-deps", package)
    except CommandFailed:
        session.error(f"{framework} cannot be installed, for the reason above; nothing of it was tested")
    session.install("--editable", ".", "pytest>=8.3", "hypothesis>=6.100")
    session.install("--no-deps", *(str(path.parent) for path in Path().glob("plugins/*/*.toml")))
    variables = {name: value.format(root=Path.cwd()) for name, value in table.get("variables", {}).items()}
    tests = session.posargs or table["tests"]
    session.run("pytest", *OTHERS_WARN, *tests, env=variables)


def _test(session: nox.Session, *also: str) -> None:
    session.install("--editable", ".[cli,design,foresight,plot,testing]", "hypothesis>=6.100", *also)
    session.install("--no-deps", *(str(path.parent) for path in Path().glob("plugins/*/*.toml")))
    session.run("python", "-c", "import importlib.util as u; assert u.find_spec('torch') is None")
    session.run("pytest", *(session.posargs or CORE_TESTS))


def _test_with_torch(session: nox.Session, tests: tuple[str, ...], *options: str) -> None:
    session.install(".[cli,plot,testing]", "hypothesis>=6.100", "tensorboardX>=2.6")
    session.run("pytest", *options, *(session.posargs or tests), env={"CUDA_VISIBLE_DEVICES": ""})
