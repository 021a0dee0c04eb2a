"""What pytest does not import: the modules of trainers that are not installed, whose doctests cannot run."""

from importlib.util import find_spec

NEEDED_BY_ADAPTERS = {
    "accelerate": ("accelerate",),
    "axolotl": ("axolotl",),
    "composer": ("composer",),
    "deepspeed": ("hjson",),
    "hf": ("transformers",),
    "keras": ("keras",),
    "lightning": ("lightning",),
    "olmo_core": ("olmo_core",),
    "optax": ("jax",),
    "torchtitan": ("torchtitan",),
}

collect_ignore = [
    f"schedframe/adapters/{module}.py"
    for module, packages in NEEDED_BY_ADAPTERS.items()
    if not all(map(find_spec, packages))
]
