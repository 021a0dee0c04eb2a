"""Builds the package of conda-forge from its recipe, as far as that is possible without conda-forge.

The source is the source distribution that was just built, and this Python takes the place of the host environment,
whose packages only conda-forge has. The recipe is rendered by rattler-build, as conda-forge renders it; what the
package requires and tests is read, and not installed.
"""

import hashlib
import sys
from pathlib import Path
from typing import Any

from rattler_build import Package, Stage0Recipe, VariantConfig

from release.distributions import ROOT, Distribution

RECIPE = ROOT / "release" / "conda-forge" / "recipe.yaml"


def rendered() -> Any:
    """Return the recipe as conda-forge would build it, once for every Python."""
    (variant,) = Stage0Recipe.from_yaml(RECIPE.read_text("utf-8")).render(VariantConfig())
    return variant


def build(source: Path, target: Path) -> Path:
    """Build the package from a source distribution into the folder `target`.

    Raises:
        rattler_build.RattlerBuildError: the recipe or the build is at fault.
    """
    recipe = Stage0Recipe.from_yaml(RECIPE.read_text("utf-8")).to_dict()
    recipe["source"] = {"url": source.resolve().as_uri(), "sha256": hashlib.sha256(source.read_bytes()).hexdigest()}
    recipe["requirements"]["host"] = []
    (line,) = recipe["build"]["script"]["content"]
    recipe["build"]["script"] = f"{line.replace('${{ PYTHON }}', sys.executable)} --prefix $PREFIX"
    (variant,) = Stage0Recipe.from_dict(recipe).render(VariantConfig())
    variant.run_build(output_dir=target, channels=[])
    (package,) = target.glob("noarch/*.conda")
    return package


def missing(package: Path, core: Distribution) -> list[str]:
    """Return the modules that the package does not install."""
    installed = {str(file) for file in Package.from_file(package).files}
    return [
        f"{package.name} lacks {name}" for name in sorted(core.modules()) if f"site-packages/{name}" not in installed
    ]
