"""Who gets which unit, and what becomes of those that a lost worker had in hand."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from phraseproof.evaluation.distributed.dispatch import MOST_LOSSES
from phraseproof.evaluation.distributed.messages import Event, Ready, Rows, WorkerFailed, WorkerLost
from phraseproof.store.queries import load_run
from support.growing_run import Listener
from support.inline_pool import InlinePool, planned_for
from support.parity_project import write_project

EXAMPLES, WORDINGS = 6, 5


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path, examples=EXAMPLES, wordings=WORDINGS)


def rows_of(path: Path) -> list[dict[str, object]]:
    return sorted(load_run(path).outcomes().to_pylist(), key=lambda row: (row["instruction"], row["example_id"]))


class Losses:
    """Loses workers: of their next outcomes only the first `kept` arrive, or fewer."""

    def __init__(self, *kept: int) -> None:
        self.left = list(kept)
        self.arrived: Counter[tuple[int, str]] = Counter()

    def __call__(self, worker: int, events: list[Event]) -> list[Event]:
        if self.left and any(isinstance(event, Rows) for event in events):
            kept = self.left.pop(0)
            some = [event for event in events if isinstance(event, Rows)]
            events = [Rows(event.cell, event.rows[:kept]) for event in some if kept]
            events.append(WorkerLost("signal 9"))
        for event in events:
            if isinstance(event, Rows):
                self.arrived.update((event.cell, row.outcome.example_id) for row in event.rows)
        return events


@pytest.mark.parametrize("kept", [(0,), (2,), (EXAMPLES,), (0, 3, 1, 0, 2)])
def test_only_what_had_not_arrived_is_computed_again(project: Path, kept: tuple[int, ...]) -> None:
    planned_for(project, InlinePool()).run(project / "undisturbed")
    losses, listener = Losses(*kept), Listener()
    pool = InlinePool(room=2, mishap=losses)
    planned_for(project, pool, unit_tokens=1).run(project / "disturbed", observer=listener)
    assert rows_of(project / "disturbed") == rows_of(project / "undisturbed")
    assert len(losses.arrived) == EXAMPLES * WORDINGS
    assert set(losses.arrived.values()) == {1}
    assert listener.done == EXAMPLES * WORDINGS
    assert len(pool.started) == 2 + len(kept)
    assert len(listener.warnings) == len(kept)
    assert listener.warnings[0] == "worker 1 was lost: signal 9; what it had not sent is computed again"
    assert not (project / "disturbed" / "journal").exists()
    assert not pool.is_open


def test_a_unit_that_ends_its_workers_is_divided_and_then_fails_alone(project: Path) -> None:
    bad = 2

    def kill(worker: int, events: list[Event]) -> list[Event]:
        is_bad = any(isinstance(event, Rows) and event.cell == bad for event in events)
        return [WorkerLost("out of memory")] if is_bad else events

    pool, listener = InlinePool(room=2, mishap=kill), Listener()
    run = planned_for(project, pool, unit_tokens=10_000).run(project / "run", observer=listener)
    assert [(failure.cell.instruction, failure.error) for failure in run.failures] == [
        ("parities/w2", f"{MOST_LOSSES} workers were lost while they computed it, the last one: out of memory")
    ]
    assert listener.done == EXAMPLES * (WORDINGS - 1)
    assert {row["instruction"] for row in rows_of(project / "run")} == {f"parities/w{n}" for n in (0, 1, 3, 4)}
    planned_for(project, InlinePool()).run(project / "run")
    assert load_run(project / "run").failures == ()
    assert load_run(project / "run").missing == ()


def test_a_worker_that_cannot_work_is_not_replaced_and_the_others_go_on(project: Path) -> None:
    def refuse(worker: int, events: list[Event]) -> list[Event]:
        is_first = worker == 1 and any(isinstance(event, Ready) for event in events)
        return [WorkerFailed("no such file")] if is_first else events

    pool, listener = InlinePool(room=2, mishap=refuse), Listener()
    run = planned_for(project, pool, unit_tokens=1).run(project / "run", observer=listener)
    assert run.missing == ()
    assert pool.started == [1, 2]
    assert listener.warnings == ["worker 1 failed: no such file; the others compute its share"]


def test_near_the_end_no_worker_takes_a_second_unit(project: Path) -> None:
    pool = InlinePool(room=2)
    planned_for(project, pool, unit_tokens=1).run(project / "run")
    assert len(pool.given) == WORDINGS * EXAMPLES
    assert max(pool.most_in_hand) == 2
    few = InlinePool(room=4)
    planned_for(project, few, unit_tokens=60).run(project / "few")
    assert max(few.most_in_hand) == 1
