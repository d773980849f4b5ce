"""The process of a worker: it computes while it is asked, says why it cannot, and turns to other work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from phraseproof.core import OptionScores, Prompt
from phraseproof.errors import LimitReachedError
from phraseproof.evaluation.distributed import kept_model, sent_folders
from phraseproof.evaluation.distributed.messages import (
    Event,
    FilePart,
    NumberedTraining,
    NumberedUnit,
    Ready,
    Rows,
    Setup,
    StopAll,
    TrainingDone,
    TrainingSetup,
    UnitDone,
    WorkerFailed,
    versions,
)
from phraseproof.evaluation.distributed.sent_folders import pack
from phraseproof.evaluation.distributed.units import UnitPart
from phraseproof.evaluation.distributed.worker_server import MOST_PARTS, WorkerServer
from phraseproof.models.scripted import ScriptedModel
from support.inline_pool import fetch, setup_for
from support.training_jobs import WritingJob

EXAMPLES, WORDINGS = 4, 3
TRAINS = TrainingSetup(None, versions(trains=True))


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return setup_for(tmp_path, examples=EXAMPLES, wordings=WORDINGS)


def all_units(server: WorkerServer) -> list[Event]:
    events = server.exchange([NumberedUnit(number, (UnitPart(number, range(EXAMPLES)),)) for number in range(WORDINGS)])
    while sum(isinstance(event, UnitDone) for event in events) < WORDINGS:
        events += server.exchange([])
    return events


class Limited(ScriptedModel):
    """Reaches a limit at one prompt."""

    def score_options(self, prompts: Sequence[Prompt], **options: Any) -> list[OptionScores]:
        if any(prompt.text.startswith("Wording 1: item 2") for prompt in prompts):
            raise LimitReachedError("enough")
        return super().score_options(prompts, **options)


def test_what_stops_the_model_stops_everything(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str, options: object) -> ScriptedModel:
        return Limited()

    monkeypatch.setattr(kept_model, "load_model", load)
    server = WorkerServer(fetch)
    assert isinstance(server.begin(replace(setup, tested=()))[-1], Ready)
    found = server.exchange([NumberedUnit(1, (UnitPart(1, range(EXAMPLES)),))])
    assert isinstance(found[-1], StopAll)
    assert str(found[-1].error) == "enough"
    assert [len(event.rows) for event in found if isinstance(event, Rows)] == [2]


def test_a_server_says_why_it_cannot_work_and_can_work_for_another(setup: Setup) -> None:
    server = WorkerServer(fetch)
    (failed,) = server.begin(replace(setup, versions={}))
    assert isinstance(failed, WorkerFailed)
    assert failed.reason.startswith("the worker has another version of ")
    assert isinstance(server.begin(setup)[-1], Ready)


def test_a_server_computes_while_it_is_asked(setup: Setup) -> None:
    server = WorkerServer(fetch)
    assert isinstance(server.begin(setup)[0], Ready)
    events = all_units(server)
    assert sum(len(event.rows) for event in events if isinstance(event, Rows)) == EXAMPLES * WORDINGS


def test_the_same_model_is_loaded_once(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []

    def load(name: str, options: object) -> ScriptedModel:
        loaded.append(name)
        return ScriptedModel()

    monkeypatch.setattr(kept_model, "load_model", load)
    server = WorkerServer(fetch)
    for _ in range(2):
        assert isinstance(server.begin(setup)[0], Ready)
        assert sum(isinstance(event, Rows) for event in all_units(server)) == WORDINGS
    assert loaded == ["scripted"]
    server.begin(TRAINS)  # frees its memory
    server.begin(setup)
    assert loaded == ["scripted"] * 2


def test_a_training_waits_until_its_parts_are_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sent_folders, "PART_BYTES", 100)
    job = WritingJob("one", tmp_path / "one", files={"weights": 5 * MOST_PARTS * 100})
    server = WorkerServer(fetch)
    assert isinstance(server.begin(TRAINS)[0], Ready)
    events, most = server.exchange([NumberedTraining(0, job, pack(job.folder, bytes))]), 0
    while not events or not isinstance(events[-1], TrainingDone):
        some = server.exchange([])
        most = max(most, sum(isinstance(event, FilePart) for event in some))
        events += some
    assert most <= MOST_PARTS
    parts = [event for event in events if isinstance(event, FilePart) and event.name == "weights"]
    assert sum(len(each.data) for each in parts) == 5 * MOST_PARTS * 100
    assert [each.is_first for each in parts] == [True] + [False] * (len(parts) - 1)
