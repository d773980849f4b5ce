from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from phraseproof.store.remote.manifest import Manifest, RemoteWriter, newest_manifest
from phraseproof.store.remote.object_store import ObjectStore
from phraseproof.store.remote.uploads import LostRunError, Uploads, listed_files
from support.object_stores import URL, FragileMemory, objects

WRITER = RemoteWriter(token="mine", at_work=True, every_s=30.0, process={})


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    (tmp_path / "run").mkdir()
    (tmp_path / "segments").mkdir()
    return Uploads(
        ObjectStore(URL), tmp_path / "run", Manifest(run="r", number=0, writer=WRITER), tmp_path / "segments", WRITER
    )


def put(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / "run" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def newest() -> Manifest:
    found = newest_manifest(ObjectStore(URL))
    assert found is not None
    return found


def test_only_what_changed_is_uploaded(uploads: Uploads, tmp_path: Path) -> None:
    put(tmp_path, "cells/t/g/a.parquet", b"a" * 100)
    put(tmp_path, "run.json", b"{}")
    uploads.begin()
    uploads.push()
    FragileMemory.calls.clear()
    uploads.push()
    assert FragileMemory.calls.count("put_file") == 0
    put(tmp_path, "run.json", b"[]")
    uploads.push()
    assert len(newest().segments) == 2
    assert newest().files["run.json"].segment != newest().files["cells/t/g/a.parquet"].segment


def test_locks_and_unfinished_files_stay_here(tmp_path: Path) -> None:
    for name in (".locks/run.lock", ".run.json.1.tmp", "answers.sqlite-journal", "x.tmp", "answers.sqlite", "run.json"):
        put(tmp_path, name, b"")
    put(tmp_path, "cells/t/packed/packed-00000000.parquet", b"")
    put(tmp_path, "cells/t/g/a.parquet", b"")
    put(tmp_path, "journal/t/a.jsonl", b"")
    put(tmp_path, "failures/a.json", b"")
    put(tmp_path, "representations/run.json", b"")
    assert listed_files(tmp_path / "run") == [
        "journal/t/a.jsonl",
        "failures/a.json",
        "answers.sqlite",
        "representations/run.json",
        "cells/t/g/a.parquet",
        "cells/t/packed/packed-00000000.parquet",
        "run.json",
    ]


def test_a_file_that_moved_while_files_were_listed_is_not_lost(uploads: Uploads, tmp_path: Path) -> None:
    put(tmp_path, "journal/t/a.jsonl", b"outcomes")
    uploads.push()
    (tmp_path / "run/journal/t/a.jsonl").unlink()  # its cell is complete, and its file too new to be listed
    uploads.push()
    assert "journal/t/a.jsonl" in newest().files
    put(tmp_path, "cells/t/g/a.parquet", b"outcomes")
    uploads.push()
    assert list(newest().files) == ["cells/t/g/a.parquet"]


def test_a_folder_that_vanishes_while_files_are_listed_stops_no_upload(
    uploads: Uploads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "journal/t/a.jsonl", b"outcomes")
    put(tmp_path, "run.json", b"{}")
    scandir = os.scandir

    def scandir_too_late(path: str | Path | int) -> object:
        if not isinstance(path, int) and Path(path).name == "journal":
            shutil.rmtree(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scandir_too_late)
    uploads.push()
    assert list(newest().files) == ["run.json"]


def test_objects_that_two_manifests_do_not_name_are_removed(uploads: Uploads, tmp_path: Path) -> None:
    for number in range(6):
        put(tmp_path, "run.json", b"x" * number)
        uploads.push()
    kept = set(objects())
    assert len([path for path in kept if "/manifest/" in path]) == 2
    assert len([path for path in kept if "/segments/" in path]) == 2


def test_small_segments_are_put_together_at_the_end(uploads: Uploads, tmp_path: Path) -> None:
    for number in range(12):
        put(tmp_path, f"cells/t/g/{number}.parquet", bytes([number]) * 50)
        uploads.push()
    assert len(newest().segments) == 12
    uploads.finish(is_alone=True)
    assert len(newest().segments) == 1
    assert len(newest().files) == 12
    assert not newest().writer.at_work
    assert len([path for path in objects() if "/segments/" in path]) == 1


def test_an_answer_that_got_lost_does_not_count_as_another_writer(
    uploads: Uploads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads.begin()
    create = ObjectStore.create

    def cut(self: ObjectStore, name: str, content: bytes) -> bool:
        create(self, name, content)
        monkeypatch.undo()
        raise TimeoutError

    monkeypatch.setattr(ObjectStore, "create", cut)
    put(tmp_path, "run.json", b"{}")
    with pytest.raises(TimeoutError):
        uploads.push()
    put(tmp_path, "run.json", b"[1]")
    uploads.push()
    assert newest().files["run.json"].size == 3


def test_another_writer_ends_the_uploads(uploads: Uploads, tmp_path: Path) -> None:
    uploads.begin()
    other = WRITER.model_copy(update={"token": "theirs"})
    Uploads(ObjectStore(URL), tmp_path / "run", newest(), tmp_path / "segments", other).begin()
    with pytest.raises(LostRunError, match="another process has taken over the run"):
        uploads.push()


def test_a_key_that_may_not_remove_can_write(uploads: Uploads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("Access Denied")

    monkeypatch.setattr(FragileMemory, "rm", refuse)
    put(tmp_path, "run.json", b"{}")
    for _ in range(4):
        uploads.push()
    assert newest().number == 4
