from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.energy.session import read_sessions
from phraseproof.store.training_record import read_record
from support import tiny_models
from support.tiny_trainings import StoppedError, StopsAt, train


def test_a_resumed_training_keeps_the_sessions_before(tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        train(tiny_models.tiny_llama(), tmp_path, observer=StopsAt(3))
    before = read_sessions(read_record(tmp_path) or {})
    assert len(before) == 1
    assert before[0].wall_s > 0  # of its last checkpoint
    train(tiny_models.tiny_llama(), tmp_path)
    record = read_record(tmp_path) or {}
    found = read_sessions(record)
    assert found[0] == before[0]
    assert len(found) == 2
    assert {(each.precision, each.no_energy) for each in found} == {("float32", "switched off by PHRASEPROOF_ENERGY")}
    assert all(each.batch.endswith("wordings") for each in found)
    train(tiny_models.tiny_llama(), tmp_path)  # is finished: computes nothing
    assert read_sessions(read_record(tmp_path) or {}) == found
    # What was trained is next to it: the tokens, and how many parameters learn.
    assert record["result"]["tokens"]["read"] > record["result"]["tokens"]["trained"] > 0
    assert 0 < record["parameters"]["trained"] < record["parameters"]["total"]
