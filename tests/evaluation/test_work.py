"""Working through cells: bundles, failures one by one, and cells that another process computes."""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from phraseproof.core import Outcome
from phraseproof.errors import ModelError, RunError
from phraseproof.evaluation import work
from phraseproof.evaluation.plan import PlannedCell
from phraseproof.evaluation.prepare import prepare
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.evaluation.work import Work, count_prompts
from phraseproof.store import locks
from phraseproof.store.locks import PATIENT, LockOptions
from phraseproof.store.queries import load_run
from phraseproof.store.usage import Usage
from phraseproof.store.writer import RunStore
from support.growing_run import EXAMPLES, WORDINGS, Listener, Model, make_task
from support.stored_cells import SETTINGS

Count = Callable[[int], None]


def plan(tasks: int = 3) -> tuple[PlannedCell, ...]:
    """Four cells per task, of twelve prompts each."""
    named = [replace(make_task(f" of {n}"), name=f"t{n}") for n in range(tasks)]
    groups = {"mine": {task.name: list(WORDINGS) for task in named}}
    return prepare(Model(), named, groups, EvaluationSpec()).planned


class Desk:
    """Computes outcomes by counting, and keeps what it was asked in order."""

    def __init__(self, path: Path, planned: Sequence[PlannedCell], locking: LockOptions = PATIENT) -> None:
        self.listener = Listener()
        self.store = RunStore(path, SETTINGS, locking=locking, say=self.listener.warned)
        self.store.register([each.cell for each in planned], {})
        self.bundles: list[list[str]] = []
        self.bad: dict[str, Exception] = {}
        self.fails_alone: set[str] = set()

    def compute(self, planned: Sequence[PlannedCell], count: Count) -> list[list[Outcome] | Exception]:
        names = [f"{each.cell.task}/{each.cell.instruction}" for each in planned]
        self.bundles.append(names)
        count(count_prompts(planned))
        for name in names:
            if name in self.bad:
                raise self.bad[name]
        return [
            ValueError("not a number") if name in self.fails_alone else [Outcome(e.id, 1.0) for e in each.task.examples]
            for name, each in zip(names, planned, strict=True)
        ]

    def keep(self, planned: PlannedCell, outcomes: list[Outcome]) -> None:
        self.store.write(planned.cell, outcomes, Usage())

    def work(self, planned: Sequence[PlannedCell], max_prompts: int | None = None) -> None:
        self.listener.started(total=count_prompts(planned), done=0)
        Work(self.store, self.listener, self.compute, self.keep, max_prompts=max_prompts).through(planned)


def test_bundles_hold_one_task_begin_small_and_grow(tmp_path: Path) -> None:
    planned = plan()
    desk = Desk(tmp_path, planned)
    desk.work(planned)
    assert all(len({name.split("/")[0] for name in bundle}) == 1 for bundle in desk.bundles)
    assert [name for bundle in desk.bundles for name in bundle] == [
        f"{each.cell.task}/{each.cell.instruction}" for each in planned
    ]
    # At most a quarter of what is left, but no less than the smallest bundle.
    assert max(map(len, desk.bundles)) * EXAMPLES <= work.SMALLEST_BUNDLE_PROMPTS
    assert desk.listener.done == len(planned) * EXAMPLES
    assert load_run(tmp_path).missing == ()


@pytest.mark.parametrize(("most", "cells"), [(1, 1), (EXAMPLES, 1), (3 * EXAMPLES, 3)])
def test_no_bundle_after_the_first_has_more_prompts_than_allowed(tmp_path: Path, most: int, cells: int) -> None:
    planned = plan(tasks=4)
    desk = Desk(tmp_path, planned)
    desk.work(planned, max_prompts=most)
    assert max(map(len, desk.bundles[1:])) == cells


def test_a_bundle_that_fails_is_tried_cell_by_cell(tmp_path: Path) -> None:
    planned = plan(tasks=1)
    desk = Desk(tmp_path, planned)
    desk.bad["t0/mine/w2"] = ModelError("memory ran out", where="the model")
    desk.work(planned)
    assert [len(bundle) for bundle in desk.bundles] == [4, 1, 1, 1, 1]
    run = load_run(tmp_path)
    assert [(failure.cell.instruction, failure.error) for failure in run.failures] == [
        ("mine/w2", "the model: memory ran out")
    ]
    assert desk.listener.warnings == ["t0 under mine/w2 failed: the model: memory ran out"]
    assert desk.listener.done == 3 * EXAMPLES


def test_a_cell_that_fails_by_itself_leaves_its_bundle_alone(tmp_path: Path) -> None:
    planned = plan(tasks=1)
    desk = Desk(tmp_path, planned)
    desk.fails_alone = {"t0/mine/w1"}
    desk.work(planned)
    assert [len(bundle) for bundle in desk.bundles] == [4]
    assert [failure.error for failure in load_run(tmp_path).failures] == ["ValueError: not a number"]
    assert desk.listener.done == 3 * EXAMPLES


def test_a_folder_that_fails_stops_everything(tmp_path: Path) -> None:
    planned = plan(tasks=1)
    desk = Desk(tmp_path, planned)
    desk.bad["t0/mine/w0"] = RunError("the disk is full")
    with pytest.raises(RunError, match="the disk is full"):
        desk.work(planned)
    assert len(desk.bundles) == 1


def test_cells_of_another_process_are_waited_for_and_not_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "REPORTED_AFTER_S", 0.05)
    monkeypatch.setattr(locks, "REPORTED_EVERY_S", 0.05)
    held, reported = threading.Event(), threading.Event()
    waited = Listener.warned

    def warned(self: Listener, message: str) -> None:
        waited(self, message)
        if len(self.warnings) == 2:
            reported.set()

    monkeypatch.setattr(Listener, "warned", warned)
    planned = plan(tasks=1)
    desk, other = Desk(tmp_path, planned), Desk(tmp_path, planned)

    def hold() -> None:
        with other.store.claim([planned[0].cell]):
            held.set()
            assert reported.wait(30)
            other.keep(planned[0], [Outcome(example.id, 1.0) for example in planned[0].task.examples])

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(30)
    desk.work(planned)
    thread.join()
    assert [name for bundle in desk.bundles for name in bundle] == ["t0/mine/w1", "t0/mine/w2", "t0/mine/w3"]
    assert desk.listener.done == 4 * EXAMPLES
    assert len(desk.listener.warnings) >= 2, "said again and again, and without notes too (--quiet)"
    for warning in desk.listener.warnings:
        assert warning.startswith(f"waiting for process {os.getpid()} on {platform.node()} (")
        assert "has computed 1 of the cells since" in warning
    assert load_run(tmp_path).missing == ()


def test_the_wait_for_the_cells_of_another_process_ends_in_time(tmp_path: Path) -> None:
    planned = plan(tasks=1)
    desk, other = Desk(tmp_path, planned, LockOptions(timeout_s=0.2)), Desk(tmp_path, planned)
    where = rf"{tmp_path}: waited 0\.2 s for process {os.getpid()} on .* which has computed 1 of the cells since "
    with other.store.claim([planned[0].cell]), pytest.raises(RunError, match=where):
        desk.work(planned)
    assert desk.listener.done == 3 * EXAMPLES, "the other cells are computed first"
