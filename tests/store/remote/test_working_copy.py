from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from phraseproof.errors import RunError
from phraseproof.store.cell_files import CellFiles
from phraseproof.store.local_copy import folder_if_any
from phraseproof.store.locks import LockOptions
from phraseproof.store.processes import Process
from phraseproof.store.queries import load_run
from phraseproof.store.remote.manifest import newest_manifest
from phraseproof.store.remote.object_store import ObjectStore
from phraseproof.store.remote.places import writing_place
from phraseproof.store.remote.uploads import LostRunError
from phraseproof.store.remote.working_copy import WorkingCopy, working_copy
from support.growing_run import EXAMPLES, Listener, Model, evaluate, rows_of
from support.object_stores import URL, FragileMemory, Killed, Moment, change_object, objects, revive, use_machine

TAKEN = LockOptions(breaks=True)
NEVER = 3600.0


@pytest.fixture(autouse=True)
def _journals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outcomes are in journals at once, so that incomplete cells are uploaded too."""
    monkeypatch.setattr("phraseproof.evaluation.score_cells.JOURNAL_INTERVAL_S", 0.0)
    monkeypatch.setattr("phraseproof.evaluation.ask_model._FIRST_CALL_PROMPTS", 4)


class Pushing(Listener):
    """Uploads after every five prompts."""

    def __init__(self, copy: WorkingCopy) -> None:
        super().__init__()
        self._copy = copy

    def advanced(self, prompts: int) -> None:
        super().advanced(prompts)
        if self.done % 5 == 0:
            self._copy.uploads.push()


class Visit(NamedTuple):
    """What a machine did: how many prompts it scored, and what it was warned of."""

    scored: int
    warnings: list[str]


def work(wordings: int = 2, model: Model | None = None) -> Visit:
    """Evaluate into the URL, uploading after every five prompts."""
    warnings: list[str] = []
    model = model or Model()
    try:
        with working_copy(URL, warnings.append, locking=TAKEN, every_s=NEVER) as copy:
            evaluate(copy.folder, model, wordings, observer=Pushing(copy))
    except (Killed, KeyboardInterrupt):
        pass
    return Visit(len(model.asked), warnings)


def stored_prompts(folder: Path | None) -> int:
    """How many outcomes a run folder holds, in complete cells and in journals."""
    if folder is None or not (folder / "run.json").exists():
        return 0
    files = CellFiles(folder)
    cells = load_run(folder).all_cells
    return sum(len(set().union(*files.stored(cell.task, cell.identity))) for cell in cells)


@pytest.mark.parametrize("moment", ["before", "after", "half"])
def test_a_kill_at_any_request_loses_nothing_that_was_uploaded(
    moment: Moment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = strip(rows_of(evaluate(tmp_path / "plain", Model(), 1)))
    work(1)
    steps = list(FragileMemory.calls)
    assert steps.count("put_file") >= 3
    for number, step in enumerate(steps):
        if moment == "half" and step != "put_file":
            continue
        if moment == "after" and step not in {"pipe_file", "put_file", "rm"}:
            continue
        for path in list(objects()):
            change_object(path, None)
        revive()
        FragileMemory.dies_at, FragileMemory.moment = number, moment
        use_machine(monkeypatch, tmp_path, f"first-{number}")
        first = work(1)
        revive()
        use_machine(monkeypatch, tmp_path, f"second-{number}")
        held = stored_prompts(folder_if_any(URL))
        second = work(1)
        assert second.scored == EXAMPLES - held, (number, step)
        assert first.scored >= held
        assert strip(rows_of(load_run(URL))) == expected
        use_machine(monkeypatch, tmp_path, f"first-{number}")
        assert work(1).scored == 0


@pytest.mark.parametrize("number", [9, 12, 15])
def test_the_same_machine_continues_from_what_it_had_not_uploaded(number: int) -> None:
    FragileMemory.dies_at = number
    first = work()
    assert 0 < first.scored < 2 * EXAMPLES
    revive()
    assert work().scored == 2 * EXAMPLES - first.scored
    assert len(rows_of(load_run(URL))) == 2 * EXAMPLES


def strip(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """Rows without what depends on the clock."""
    return [{name: value for name, value in row.items() if "_s" not in name[-2:]} for row in rows]


def test_what_two_machines_computed_apart_is_joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_machine(monkeypatch, tmp_path, "a")
    FragileMemory.dies_at = 7
    work(2)
    revive()
    use_machine(monkeypatch, tmp_path, "b")
    work(3)
    use_machine(monkeypatch, tmp_path, "a")
    assert work(4).scored == EXAMPLES
    assert len(rows_of(load_run(URL))) == 4 * EXAMPLES


def test_journals_of_one_cell_from_two_machines_are_joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work(1)
    uploads = [number for number, call in enumerate(FragileMemory.calls) if call == "put_file"]
    for path in list(objects()):
        change_object(path, None)
    revive()
    FragileMemory.dies_at = uploads[1]
    use_machine(monkeypatch, tmp_path, "a")
    work(1)
    revive()
    here = stored_prompts(writing_place(URL).copy)
    use_machine(monkeypatch, tmp_path, "b")
    work(1, Model(stops_after=1))
    there = stored_prompts(folder_if_any(URL))
    assert 0 < there < here < EXAMPLES
    use_machine(monkeypatch, tmp_path, "a")
    assert work(1).scored == EXAMPLES - here
    assert len(rows_of(load_run(URL))) == EXAMPLES


def test_answers_of_a_machine_that_was_overtaken_are_kept_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answers(text: str) -> list[str]:
        said: list[str] = []
        with working_copy(URL, said.append, locking=TAKEN, every_s=NEVER) as copy:
            with closing(sqlite3.connect(copy.folder / "answers.sqlite")) as database, database:
                database.execute("CREATE TABLE IF NOT EXISTS answers (text)")
                stored = [row[0] for row in database.execute("SELECT text FROM answers")]
                database.execute("INSERT INTO answers VALUES (?)", (text,))
            said += stored
        return said

    use_machine(monkeypatch, tmp_path, "a")
    assert answers("first of a") == []
    here = writing_place(URL)
    use_machine(monkeypatch, tmp_path, "b")
    assert answers("of b") == ["first of a"]
    use_machine(monkeypatch, tmp_path, "a")
    with closing(sqlite3.connect(here.copy / "answers.sqlite")) as database, database:
        database.execute("INSERT INTO answers VALUES ('only a has it')")
    warning, *stored = answers("last of a")
    assert "another machine has continued this run" in warning
    assert stored == ["first of a", "of b"]
    (aside,) = here.home.glob("replaced-*")
    with closing(sqlite3.connect(aside)) as database:
        assert [row[0] for row in database.execute("SELECT text FROM answers")] == ["first of a", "only a has it"]


def test_a_full_disk_is_a_failed_upload(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("phraseproof.store.remote.segments._add", full)
    failed = pytest.raises(RunError, match=r"the upload failed: .*No space left.*the same command on this machine")
    with failed, working_copy(URL, print, every_s=NEVER) as copy:
        evaluate(copy.folder, Model(), 1)


def test_requests_do_not_depend_on_the_number_of_cells() -> None:
    def requests(wordings: int) -> list[str]:
        FragileMemory.calls.clear()
        with working_copy(URL, print, every_s=NEVER) as copy:
            evaluate(copy.folder, Model(), wordings)
        return sorted(FragileMemory.calls)

    first = requests(1)
    for path in list(objects()):
        change_object(path, None)
    assert requests(4) == first
    assert len(first) <= 20


def test_a_second_writer_is_refused_while_the_first_one_gives_signs_of_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with working_copy(URL, print, every_s=0.02):
        with pytest.raises(RunError, match="writes this run"), working_copy(URL, print):
            pass
        use_machine(monkeypatch, tmp_path, "there")
        said: list[str] = []
        with pytest.raises(RunError, match=r"process .* writes this run"), working_copy(URL, said.append):
            pass
        assert "waiting" in said[0]


def test_a_silent_writer_is_replaced_and_notices_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write() -> None:
        with working_copy(URL, print, every_s=0.02) as first:
            evaluate(first.folder, Model(), 1)
            first.stop()
            for each in threading.enumerate():  # an upload that is under way would be a sign of life
                if each.name == "phraseproof uploads":
                    each.join()
            use_machine(monkeypatch, tmp_path, "there")
            with working_copy(URL, print, every_s=NEVER) as second:
                evaluate(second.folder, Model(), 2)
                with pytest.raises(LostRunError):
                    first.uploads.push()

    with pytest.raises(LostRunError, match="taken over"):
        write()
    assert len(rows_of(load_run(URL))) == 2 * EXAMPLES


def test_a_writer_of_this_machine_that_has_ended_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = Process.current()._replace(started="never")
    monkeypatch.setattr("phraseproof.store.remote.working_copy.Process.current", lambda: ended)
    FragileMemory.dies_at = 9
    with pytest.raises(Killed), working_copy(URL, print, every_s=NEVER) as copy:
        evaluate(copy.folder, Model(), observer=Pushing(copy))
    revive()
    monkeypatch.undo()
    use_machine(monkeypatch, tmp_path, "here")
    said: list[str] = []
    with working_copy(URL, said.append, every_s=NEVER):
        pass
    assert said == []


def test_an_upload_that_fails_is_tried_again_and_then_reported() -> None:
    def write() -> None:
        with working_copy(URL, print, every_s=NEVER) as copy:
            evaluate(copy.folder, Model())
            FragileMemory.fails = OSError("No route to host")

    with pytest.raises(RunError, match=r"the upload failed: .*No route.*the same command on this machine"):
        write()
    FragileMemory.fails = None
    assert work().scored == 0
    assert len(rows_of(load_run(URL))) == 2 * EXAMPLES


def test_a_run_that_was_removed_from_the_store_does_not_come_back() -> None:
    work()
    for path in list(objects()):
        change_object(path, None)
    visit = work()
    assert visit.scored == 2 * EXAMPLES
    (kept,) = [line.rpartition(" ")[2] for line in visit.warnings]
    assert (Path(kept) / "run.json").exists()


def test_a_command_that_wrote_nothing_leaves_no_run() -> None:
    with pytest.raises(ValueError, match="wrong input"), working_copy(URL, print):
        raise ValueError("wrong input")
    assert objects() == {}


def test_the_store_holds_no_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["phraseproof", "--model-arg", "api_key=secret"])
    with working_copy(URL, print, every_s=NEVER) as copy:
        evaluate(copy.folder, Model())
        assert b"secret" not in b"".join(objects().values())
    manifest = newest_manifest(ObjectStore(URL))
    assert manifest is not None
    assert manifest.writer.process["command"] == ""


def test_a_store_that_ignores_the_condition_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    overwrite = FragileMemory.pipe_file
    monkeypatch.setattr(FragileMemory, "pipe_file", lambda self, path, value, **_: overwrite(self, path, value))
    said: list[str] = []
    with working_copy(URL, said.append, every_s=NEVER) as copy:
        evaluate(copy.folder, Model())
    assert said == [f"{URL}: this store does not refuse a second writer. Do not start two commands on this run"]
    assert len(rows_of(load_run(URL))) == 2 * EXAMPLES


def test_uploads_follow_while_the_work_goes_on() -> None:
    with working_copy(URL, print, every_s=0.01) as copy:
        evaluate(copy.folder, Model())
        while stored_prompts(folder_if_any(URL)) < 2 * EXAMPLES:
            pass
    history = json.loads(next(copy.folder.parent.glob("history.json")).read_text())
    assert history["run"]
