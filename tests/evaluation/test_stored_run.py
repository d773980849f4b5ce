from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import phraseproof
from phraseproof.errors import RunError
from phraseproof.evaluation.stored_run import run_target
from phraseproof.instructions.collections import Collection
from phraseproof.store.remote.uploads import LostRunError
from phraseproof.store.remote.working_copy import WorkingCopy
from support.growing_run import EXAMPLES, WORDINGS, Listener, Model, evaluate, make_task
from support.object_stores import URL, fragile_memory, objects, use_machine


@pytest.fixture(autouse=True)
def _memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    use_machine(monkeypatch, tmp_path, "here")
    with fragile_memory():
        yield


def test_a_folder_is_written_as_it_is(tmp_path: Path) -> None:
    listener = Listener()
    with run_target(tmp_path, listener) as target:
        assert target == (tmp_path, listener)


def test_python_evaluates_into_a_url_and_continues_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = make_task()
    groups = {"mine": Collection("mine", WORDINGS[:2])}
    run = phraseproof.evaluate(Model(), [task], groups, out=URL, self_test=False)
    assert run.name == URL
    table = phraseproof.table(URL)
    use_machine(monkeypatch, tmp_path, "there")
    again = Model()
    phraseproof.evaluate(again, [task], groups, out=Path(URL), self_test=False)
    assert again.asked == []
    assert phraseproof.table(URL).rows == table.rows
    assert {row.run for row in table.rows} == {URL}
    assert phraseproof.forecast(Model(), [task], groups, out=URL).prompts_missing == 0


def test_the_evaluation_ends_when_another_process_takes_the_run_over(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = LostRunError("another process has taken over the run")
    model = Model()

    def require_ours(_: WorkingCopy) -> None:
        if model.asked:
            raise lost

    monkeypatch.setattr(WorkingCopy, "require_ours", require_ours)
    monkeypatch.setattr("phraseproof.evaluation.ask_model._FIRST_CALL_PROMPTS", 4)
    with pytest.raises(LostRunError), run_target(Path(URL), Listener()) as target:
        evaluate(target.folder, model, observer=target.observer)
    assert 0 < len(model.asked) < 2 * EXAMPLES


def test_wrong_input_leaves_no_run_in_the_store() -> None:
    with pytest.raises(RunError), run_target(Path(URL), None):
        raise RunError("wrong")
    assert objects() == {}
