"""The core, without torch and without Megatron, on every Python that is here, and with the lowest dependencies."""

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
    "plotext==6.0.0",
    "matplotlib==3.8.0",
    "starlette==0.40.0",
    "uvicorn==0.30.0",
    "wsproto==1.2.0",
    "numpy==1.24.0",
    "jsonschema==4.18.0",
)
FRAMEWORKS = nox.project.load_toml("tests/adapters/frameworks.toml")
OURS = "error::schedframe.SchedframeWarning"


@nox.session(python=["3.10", "3.11", "3.12", "3.13"])
def core(session: nox.Session) -> None:
    """Newest dependencies."""
    _test(session, "hatchling>=1.24", "editables>=0.5", "hydra-core>=1.3", "jsonargparse>=4.53", "pandas>=2.0")


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
    variables = {name: value.format(root=Path.cwd()) for name, value in table.get("variables", {}).items()}
    tests = session.posargs or table["tests"]
    session.run("pytest", "-W", "default", "-W", OURS, *tests, env=variables)


def _test(session: nox.Session, *also: str) -> None:
    session.install(".[cli,design,foresight,plot,testing]", "hypothesis>=6.100", *also)
    session.install("--no-deps", *(str(path.parent) for path in Path().glob("plugins/*/*.toml")))
    session.run("python", "-c", "import importlib.util as u; assert u.find_spec('torch') is None")
    session.run("pytest", *CORE_TESTS, *session.posargs)
