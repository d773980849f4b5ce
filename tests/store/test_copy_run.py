from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from phraseproof.errors import RunError
from phraseproof.store.copy_run import copy_run
from phraseproof.store.queries import load_run
from phraseproof.store.remote.working_copy import working_copy
from support.growing_run import EXAMPLES, Model, evaluate, rows_of
from support.object_stores import URL, FragileMemory, Killed, fragile_memory, revive, use_machine


@pytest.fixture(autouse=True)
def _memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    use_machine(monkeypatch, tmp_path, "here")
    with fragile_memory():
        yield


def test_a_run_goes_to_a_url_and_comes_back(tmp_path: Path) -> None:
    run = evaluate(tmp_path / "run", Model())
    assert copy_run(tmp_path / "run", Path(URL), print) == copy_run(Path(URL), tmp_path / "back", print)
    back = load_run(tmp_path / "back")
    assert rows_of(back) == rows_of(run) == rows_of(load_run(URL))
    assert (back.path / "run.json").read_bytes() == (run.path / "run.json").read_bytes()
    assert int((back.path / "run.json").stat().st_mtime) == int((run.path / "run.json").stat().st_mtime)
    copy_run(Path(URL), Path("memory://bucket/runs/other"), print)
    assert rows_of(load_run("memory://bucket/runs/other")) == rows_of(run)


def test_what_is_there_is_not_mixed_with_it(tmp_path: Path) -> None:
    evaluate(tmp_path / "run", Model(), 1)
    copy_run(tmp_path / "run", Path(URL), print)
    with pytest.raises(RunError, match=f"{URL}: a run is stored there"):
        copy_run(tmp_path / "run", Path(URL), print)
    with pytest.raises(RunError, match="there is something already"):
        copy_run(Path(URL), tmp_path / "run", print)
    assert len(rows_of(load_run(URL))) == EXAMPLES


def test_a_kill_leaves_no_half_of_a_copy(tmp_path: Path) -> None:
    run = evaluate(tmp_path / "run", Model(), 1)
    copy_run(tmp_path / "run", Path(URL), print)
    revive()
    FragileMemory.dies_at = 2
    with pytest.raises(Killed):
        copy_run(Path(URL), tmp_path / "back", print)
    revive()
    assert not (tmp_path / "back").exists()
    copy_run(Path(URL), tmp_path / "back", print)
    assert rows_of(load_run(tmp_path / "back")) == rows_of(run)


def test_a_copy_to_a_url_that_was_killed_is_completed_by_the_same_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that is killed is this one, so the next waits until it shows no signs of life: three intervals."""
    monkeypatch.setattr("phraseproof.store.copy_run.working_copy", partial(working_copy, every_s=0.1))
    run = evaluate(tmp_path / "run", Model(), 1)
    copy_run(tmp_path / "run", Path("memory://bucket/runs/other"), print)
    upload = FragileMemory.calls.index("put_file")
    revive()
    FragileMemory.dies_at = upload
    with pytest.raises(Killed):
        copy_run(tmp_path / "run", Path(URL), print)
    revive()
    with pytest.raises(RunError, match=r"no run is stored there|no run\.json"):
        load_run(URL)
    copy_run(tmp_path / "run", Path(URL), print)
    assert rows_of(load_run(URL)) == rows_of(run)


def test_the_folder_of_the_shell_is_no_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluate(tmp_path / "run", Model(), 1)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    for target in (".", "../empty/.."):
        with pytest.raises(RunError, match="Give a folder that does not exist"):
            copy_run(tmp_path / "run", Path(target), print)


def test_only_runs_are_copied(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not a run folder"):
        copy_run(tmp_path, Path(URL), print)
