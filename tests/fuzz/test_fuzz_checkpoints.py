"""Changed checkpoints, in a process whose memory is limited: each is read, or is a `StateError`."""

import json
import pickle
import random
from pathlib import Path

import pytest

from ..files.checkpoint.test_checkpoint_hostile import checkpoints, guarded
from .corpus import examples

pytestmark = [pytest.mark.no_cover, pytest.mark.filterwarnings("ignore")]

FOLDER = Path(__file__).parents[1] / "run" / "saved_states"
STATES = [case["state"] for file in sorted(FOLDER.glob("*.json")) for case in json.loads(file.read_text()).values()]
ROUND = 15
"""How many changed copies of each file one process reads, which ends after a time."""


@pytest.mark.parametrize("part", range(2))
def test_changed_checkpoints(part, tmp_path, archive, groups):
    for seed in examples(1):
        chance = random.Random(f"{part} {seed}")
        folder = tmp_path / str(seed)
        state = chance.choice(STATES)
        checkpoints(folder, archive, state, groups)
        for protocol in (2, 5):
            (folder / f"whole{protocol}.pkl").write_bytes(pickle.dumps({"scheduler": chance.choice(STATES)}, protocol))
        endings = guarded(200, "mutated", folder, ROUND, chance.randrange(10**9))
        assert set(endings) <= {"StateError", "read"}
