from __future__ import annotations

import hashlib
import json

import pytest

from phraseproof.errors import RunError
from phraseproof.store.processes import Process
from phraseproof.store.remote.manifest import Manifest, RemoteWriter, StoredFile, manifest_numbers, newest_manifest
from phraseproof.store.remote.object_store import ObjectStore
from support.object_stores import URL, change_object

WRITER = RemoteWriter(token="t", at_work=True, every_s=30.0, process=Process.current().entry())


def make(number: int = 1, path: str = "run.json") -> Manifest:
    files = {path: StoredFile(segment="a" * 64, size=3, crc32=7)}
    return Manifest(run="r", number=number, writer=WRITER, segments={"a" * 64: 10}, files=files)


def test_a_manifest_reads_back() -> None:
    read = Manifest.of_bytes(make().to_bytes(), "here")
    assert read == make()
    assert read.writer.who == Process.current()._replace(since_s=read.writer.who.since_s)
    assert RemoteWriter(token="t", at_work=True, every_s=1.0, process={}).who.pid == 0


def test_its_checksum_is_the_sha_256_of_its_text() -> None:
    text = make().to_bytes().decode()
    inner = text.split('"manifest":', 1)[1].rstrip()[:-1]
    assert json.loads(text)["sha256"] == hashlib.sha256(inner.encode()).hexdigest()


@pytest.mark.parametrize("length", [0, 1, 40, 200, -2])
def test_an_incomplete_manifest_is_refused_in_one_line(length: int) -> None:
    with pytest.raises(RunError, match=r"^here: the manifest is damaged: .*"):
        Manifest.of_bytes(make().to_bytes()[:length], "here")


def test_a_changed_manifest_is_refused() -> None:
    with pytest.raises(RunError, match="its checksum is not that of its content"):
        Manifest.of_bytes(make().to_bytes().replace(b'"size":3', b'"size":4'), "here")


@pytest.mark.parametrize("path", ["../run.json", "/etc/x", "cells//x", "a/../../x", "a\\..\\x"])
def test_files_outside_the_run_are_refused(path: str) -> None:
    with pytest.raises(RunError, match="a file that no run folder has"):
        Manifest.of_bytes(make(path=path).to_bytes(), "here")


def test_another_format_is_named() -> None:
    other = make().model_copy(update={"format": "phraseproof run 2"})
    with pytest.raises(RunError, match=r"another version of phraseproof \(expected phraseproof run 1, got phraseproof"):
        Manifest.of_bytes(other.to_bytes(), "here")


def test_the_highest_number_counts() -> None:
    store = ObjectStore(URL)
    assert newest_manifest(store) is None
    for number in (9, 10, 2):
        store.create(make(number).name, make(number).to_bytes())
    store.create("manifest/notes.txt", b"of a person")
    assert manifest_numbers(store) == [2, 9, 10]
    assert newest_manifest(store) == make(10)
    change_object(f"/bucket/runs/first/{make(10).name}", b"{")
    with pytest.raises(RunError, match=f"{URL}/manifest/0000000010.json: the manifest is damaged.*before it counts"):
        newest_manifest(store)
