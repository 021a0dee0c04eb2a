"""Python imports this at every start where this folder is in PYTHONPATH: Megatron-LM then runs on the CPU."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

import cpu

cpu.install()
