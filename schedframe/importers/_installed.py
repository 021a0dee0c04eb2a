"""The registry of importers: those built in, and what installed distributions add in ``schedframe.importers``."""

from functools import partial
from importlib import import_module

from schedframe._plugins.extensions import Extensions
from schedframe.importers._importer import Importer

GROUP = "schedframe.importers"
"""The entry-point group in which distributions declare importers."""

_BUILTIN = {
    "megatron": "megatron",
    "hf": "hf",
    "trl": "trl",
    "axolotl": "axolotl",
    "llama-factory": "llama_factory",
    "ms-swift": "ms_swift",
    "megatron-swift": "megatron_swift",
    "olmo-core": "olmo_core",
    "deepspeed": "deepspeed",
    "gpt-neox": "gpt_neox",
    "levanter": "levanter",
    "litgpt": "litgpt",
    "nanotron": "nanotron",
    "llm-foundry": "llm_foundry",
    "megatron-bridge": "megatron_bridge",
    "nemo": "nemo",
    "torchtitan": "torchtitan",
    "verl": "verl",
    "verl-critic": "verl_critic",
}
"""The modules of the built-in importers, by their names."""


def _builtin(module: str) -> Importer:
    found: Importer = import_module(f"schedframe.importers._frameworks.{module}").IMPORTER
    return found


def _accepted(importer: object, name: str) -> Importer:
    if not isinstance(importer, Importer):
        raise ValueError("it is not a schedframe.importers.Importer")
    if importer.name != name:
        raise ValueError(f"its name is {importer.name!r}, and its entry point {name!r}; make them the same")
    return importer


importers = Extensions(
    "importer", GROUP, {name: partial(_builtin, module) for name, module in _BUILTIN.items()}, _accepted
)
"""The importers that can be used."""
