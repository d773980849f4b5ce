from __future__ import annotations

import hashlib
import sqlite3
import zipfile
import zlib
from contextlib import closing
from pathlib import Path

import pytest

from phraseproof.errors import RunError
from phraseproof.store.remote.manifest import StoredFile
from phraseproof.store.remote.object_store import ObjectStore
from phraseproof.store.remote.segments import NewSegment, fetch_files, is_same, segment_name, sha256_of, write_segments
from support.object_stores import URL, change_object, objects

FILES = {"run.json": b"{}" * 500, "cells/t/g/x.parquet": bytes(range(256)), "journal/t/y.jsonl": b"\nline\n"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        path = tmp_path / "run" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "run"


def write(folder: Path, paths: list[str]) -> list[NewSegment]:
    return list(write_segments(folder, paths, folder.parent))


def stored(folder: Path) -> tuple[ObjectStore, NewSegment]:
    store = ObjectStore(URL)
    (segment,) = write(folder, list(FILES))
    store.upload(segment.path, segment_name(segment.name))
    return store, segment


def test_a_segment_is_a_zip_archive_named_by_its_content(folder: Path) -> None:
    (segment,) = write(folder, [*FILES, "gone"])
    assert segment.name == hashlib.sha256(segment.path.read_bytes()).hexdigest() == sha256_of(segment.path)
    with zipfile.ZipFile(segment.path) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == FILES
    assert {name: file.model_copy(update={"changed_s": 0}) for name, file in segment.files.items()} == {
        name: StoredFile(segment=segment.name, size=len(content), crc32=zlib.crc32(content))
        for name, content in FILES.items()
    }
    assert segment.files["run.json"].changed_s == int((folder / "run.json").stat().st_mtime)
    (again,) = write(folder, list(FILES))
    assert again.name == segment.name, "equal files make equal segments"


def test_large_files_fill_segments_of_their_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phraseproof.store.remote.segments.TARGET_BYTES", 300)
    assert [list(segment.files) for segment in write(folder, list(FILES))] == [
        ["run.json"],
        ["cells/t/g/x.parquet", "journal/t/y.jsonl"],
    ]
    assert write(folder, ["gone"]) == []


def test_files_come_back_as_they_were(folder: Path, tmp_path: Path) -> None:
    store, segment = stored(folder)
    wanted = {name: segment.files[name] for name in ("run.json", "journal/t/y.jsonl")}
    found = {path: file.read_bytes() for path, file in fetch_files(store, segment.name, segment.size, wanted, tmp_path)}
    assert found == {name: FILES[name] for name in wanted}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content: content[:-9], "it is incomplete"),
        (lambda content: content + b"x", "it is too long"),
        (lambda content: content[:40] + bytes([content[40] ^ 1]) + content[41:], "its checksum is not the one in its"),
    ],
)
def test_a_damaged_segment_is_refused(folder: Path, tmp_path: Path, change, said: str) -> None:
    store, segment = stored(folder)
    ((path, content),) = objects().items()
    change_object(path, change(content))
    with pytest.raises(RunError, match=f"{segment.name}.zip: the object is damaged: {said}"):
        list(fetch_files(store, segment.name, segment.size, segment.files, tmp_path))


def test_a_file_that_is_not_what_the_manifest_says_is_refused(folder: Path, tmp_path: Path) -> None:
    store, segment = stored(folder)
    wrong = {"run.json": segment.files["run.json"].model_copy(update={"crc32": 1})}
    with pytest.raises(RunError, match=r"run.json in it is not what the manifest says"):
        list(fetch_files(store, segment.name, segment.size, wrong, tmp_path))


def test_a_database_is_stored_as_it_is_between_two_transactions(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "answers.sqlite")) as database:
        database.execute("CREATE TABLE answers (text)")
        database.execute("INSERT INTO answers VALUES ('kept')")
        database.commit()
        database.execute("INSERT INTO answers VALUES ('not yet')")
        (segment,) = write(tmp_path, ["answers.sqlite"])
        assert is_same(tmp_path / "answers.sqlite", segment.files["answers.sqlite"])
    with zipfile.ZipFile(segment.path) as archive:
        archive.extract("answers.sqlite", tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy" / "answers.sqlite")) as database:
        assert database.execute("SELECT text FROM answers").fetchall() == [("kept",)]


def test_equal_files_are_recognised(folder: Path) -> None:
    (segment,) = write(folder, list(FILES))
    assert is_same(folder / "run.json", segment.files["run.json"])
    (folder / "run.json").write_bytes(b"{}" * 499 + b"[]")
    assert not is_same(folder / "run.json", segment.files["run.json"])
    assert not is_same(folder / "gone", segment.files["run.json"])
