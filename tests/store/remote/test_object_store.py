from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.errors import RunError
from phraseproof.store.remote.object_store import ObjectStore
from support.object_stores import FragileMemory


@pytest.fixture(params=["memory://bucket/x", "file://{}/x"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return ObjectStore(request.param.format(tmp_path))


def test_objects_are_written_read_and_removed(store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "content").write_bytes(b"some bytes")
    assert store.names() == []
    store.upload(tmp_path / "content", "segments/a.zip")
    assert store.create("manifest/1.json", b"{}")
    assert store.names("segments") == ["a.zip"]
    assert store.folders() == ["manifest", "segments"]
    assert store.read("segments/a.zip") == b"some bytes"
    store.fetch("manifest/1.json", tmp_path / "fetched")
    assert (tmp_path / "fetched").read_bytes() == b"{}"
    store.remove(["segments/a.zip"])
    store.remove(["segments/a.zip"])
    assert store.names("segments") == []
    with pytest.raises(FileNotFoundError):
        store.read("segments/a.zip")


def test_an_object_is_created_once(store: ObjectStore) -> None:
    assert store.creates_new
    assert store.create("a", b"first")
    assert not store.create("a", b"second")
    assert store.create("a", b"first"), "a repetition of the same request"
    assert store.read("a") == b"first"


def test_an_upload_that_the_store_cut_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "content").write_bytes(b"some bytes")
    monkeypatch.setattr(FragileMemory, "put_file", lambda self, _, path, **__: self.pipe_file(path, b"some"))
    with pytest.raises(RunError, match=r"does not hold what was written \(expected 10 bytes, got 4\)"):
        ObjectStore("memory://bucket/x").upload(tmp_path / "content", "a")


def test_errors_of_the_package_are_one_line() -> None:
    FragileMemory.fails = PermissionError("Access Denied\nand more")
    store = ObjectStore("memory://bucket/x")
    for call in (lambda: store.read("a"), store.names, lambda: store.create("a", b""), store.folders):
        with pytest.raises(RunError, match=r"cannot be \w+: PermissionError: Access Denied$"):
            call()


def test_missing_packages_and_unknown_protocols_are_named() -> None:
    with pytest.raises(RunError, match=r"abfs:// needs a package that is not installed.*pip install adlfs"):
        ObjectStore("abfs://box/x")
    with pytest.raises(RunError, match="nonsense://x: cannot be opened: ValueError: Protocol not known"):
        ObjectStore("nonsense://x")
