from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.errors import RunError
from phraseproof.store.queries import load_run
from phraseproof.store.remote.mirror import fetch_run, find_runs
from phraseproof.store.remote.working_copy import working_copy
from support.growing_run import EXAMPLES, Model, evaluate, rows_of
from support.object_stores import URL, FragileMemory, change_object, objects, revive, use_machine


def store_run(wordings: int = 2, url: str = URL) -> None:
    with working_copy(url, print) as copy:
        evaluate(copy.folder, Model(), wordings)


def segments() -> list[str]:
    return [path for path in objects() if "/segments/" in path]


def test_a_run_is_read_by_its_url() -> None:
    store_run()
    run = load_run(URL)
    assert len(rows_of(run)) == 2 * EXAMPLES
    assert run.name == URL


def test_only_what_is_missing_is_fetched() -> None:
    store_run(2)
    fetch_run(URL)
    revive()
    fetch_run(URL)
    assert FragileMemory.calls == ["ls", "cat_file"]
    store_run(3)
    revive()
    assert len(rows_of(load_run(URL))) == 3 * EXAMPLES
    assert FragileMemory.calls.count("get_file") == 1


def test_a_file_that_changed_on_this_machine_is_fetched_again() -> None:
    store_run()
    folder = fetch_run(URL)
    assert folder is not None
    cell = next(folder.glob("cells/*/*/*.parquet"))
    cell.write_bytes(cell.read_bytes()[:-1] + b"?")
    assert len(rows_of(load_run(URL))) == 2 * EXAMPLES


def test_what_the_run_no_longer_has_is_removed_here() -> None:
    store_run()
    folder = fetch_run(URL)
    assert folder is not None
    (folder / "journal" / "t").mkdir(parents=True)
    (folder / "journal" / "t" / "old.jsonl").write_text("\n")
    (folder / "estimates.json").write_text("{}")
    fetch_run(URL)
    assert not (folder / "journal" / "t" / "old.jsonl").exists()
    assert (folder / "estimates.json").exists(), "what readers keep there"


def test_a_missing_object_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store_run()
    use_machine(monkeypatch, tmp_path, "there")
    change_object(segments()[0], None)
    with pytest.raises(RunError, match=f"{URL}: an object of the run is missing in the store"):
        load_run(URL)


def test_a_damaged_object_is_never_averaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store_run()
    use_machine(monkeypatch, tmp_path, "there")
    content = objects()[segments()[0]]
    change_object(segments()[0], content[:-1] + b"?")
    with pytest.raises(RunError, match="the object is damaged"):
        load_run(URL)


def test_a_reader_follows_a_writer_that_replaces_objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store_run(1)
    use_machine(monkeypatch, tmp_path, "there")
    fetch, trials = FragileMemory.get_file, 0

    def late(self: FragileMemory, path: str, target: str, **options: object) -> None:
        nonlocal trials
        trials += 1
        if trials == 1:
            use_machine(monkeypatch, tmp_path, "here")
            FragileMemory._depth = 0
            store_run(2)
            raise FileNotFoundError(path)
        fetch(self, path, target, **options)

    monkeypatch.setattr(FragileMemory, "get_file", late)
    assert len(rows_of(load_run(URL))) == 2 * EXAMPLES


def test_runs_below_a_url_are_found_with_a_request_per_folder() -> None:
    urls = ["memory://bucket/a", "memory://bucket/deep/llama-3.1/b", "memory://bucket/z"]
    for url in urls:
        store_run(1, url)
    revive()
    assert list(find_runs("memory://bucket")) == urls
    assert FragileMemory.calls == ["ls"] * 6
    assert list(find_runs("memory://bucket/a")) == urls[:1]
    assert list(find_runs("memory://empty")) == []
