"""A worker: it refuses another model, sends outcomes as they come, and a cell that fails leaves the others alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from phraseproof.core import ModelIdentity, OptionScores, Prompt
from phraseproof.errors import ModelError
from phraseproof.evaluation import score_cells
from phraseproof.evaluation.distributed import kept_model
from phraseproof.evaluation.distributed.kept_model import KeptModel
from phraseproof.evaluation.distributed.messages import (
    CellFailed,
    Event,
    NumberedUnit,
    Ready,
    Rows,
    Setup,
    UnitDone,
)
from phraseproof.evaluation.distributed.unit_worker import UnitWorker
from phraseproof.evaluation.distributed.units import UnitPart
from phraseproof.models.scripted import ScriptedModel
from support.inline_pool import fetch, setup_for

EXAMPLES, WORDINGS = 4, 3


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return setup_for(tmp_path, examples=EXAMPLES, wordings=WORDINGS)


def started(setup: Setup) -> tuple[UnitWorker, list[Event]]:
    events: list[Event] = []
    worker = UnitWorker(setup, events.append, KeptModel(fetch))
    worker.prepare()
    return worker, events


def replaced_model(monkeypatch: pytest.MonkeyPatch, model: ScriptedModel) -> None:
    def load(name: str, options: object) -> ScriptedModel:
        return model

    monkeypatch.setattr(kept_model, "load_model", load)


def test_it_tests_the_model_and_sends_each_outcome_once(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score_cells, "JOURNAL_INTERVAL_S", 0.0)
    worker, events = started(setup)
    ready = events.pop(0)
    assert isinstance(ready, Ready)
    assert all(check.passed for check in ready.checks)
    assert ready.checks
    worker.compute(NumberedUnit(5, (UnitPart(0, range(1, 3)), UnitPart(2, [0, 3]))))
    sent = [(event.cell, row.outcome.example_id) for event in events if isinstance(event, Rows) for row in event.rows]
    ids = [example.id for example in setup.share.tasks[0].examples]
    assert sent == [(0, ids[1]), (0, ids[2]), (2, ids[0]), (2, ids[3])]
    assert len([event for event in events if isinstance(event, Rows)]) == 4
    assert events[-1] == UnitDone(5, {0: {}, 2: {}})


def test_another_version_and_another_model_are_refused(setup: Setup) -> None:
    older = replace(setup, versions={**setup.versions, "torch": "1.0"})
    with pytest.raises(ModelError, match=r"the worker has another version of torch \(expected 1\.0, got "):
        started(older)
    lacks = replace(setup, versions={**setup.versions, "extra": "3"})
    with pytest.raises(ModelError, match=r"another version of extra \(expected 3, got none\)"):
        started(lacks)
    other = replace(setup, identity=ModelIdentity("scripted", "2", "ScriptedModel"))
    with pytest.raises(ModelError, match=r"another model under the name scripted \(expected revision 2"):
        started(other)


class Faulty(ScriptedModel):
    """Fails as a whole at one wording."""

    error: Exception = MemoryError("no room")

    def score_options(self, prompts: Sequence[Prompt], **options: Any) -> list[OptionScores]:
        if any(prompt.text.startswith("Wording 1: item 2") for prompt in prompts):
            raise self.error
        return super().score_options(prompts, **options)


def test_a_cell_that_fails_is_sent_and_the_others_are_computed(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    replaced_model(monkeypatch, Faulty())
    worker, events = started(replace(setup, tested=()))
    worker.compute(NumberedUnit(1, tuple(UnitPart(place, range(EXAMPLES)) for place in range(WORDINGS))))
    (failed,) = [event for event in events if isinstance(event, CellFailed)]
    assert (failed.cell, failed.error) == (1, "MemoryError: no room")
    assert "Traceback" in failed.details
    sent = [(event.cell, row.outcome.example_id) for event in events if isinstance(event, Rows) for row in event.rows]
    assert len(sent) == len(set(sent)) == 2 * EXAMPLES + 2
    assert isinstance(events[-1], UnitDone)
