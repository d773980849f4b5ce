"""Hashes of large files are used again only while nothing about the files has changed."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from phraseproof import stored_hashes, user_cache
from phraseproof.errors import FileError
from phraseproof.identity import file_hash
from phraseproof.stored_hashes import FileTimes, stored_hash


class Reader:
    """Hashes files and counts how often it is asked to."""

    def __init__(self, *paths: Path) -> None:
        self.paths, self.times = paths, 0

    def __call__(self) -> str:
        self.times += 1
        return file_hash(*self.paths)

    def stored(self, kind: str = "any") -> str:
        return stored_hash(self.paths, self, kind=kind)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache's folder: in it small files are kept as well, wherever the tests run."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(user_cache.SWITCH, raising=False)
    monkeypatch.setattr(stored_hashes, "WORTH_KEEPING_BYTES", 1)
    mounts = tmp_path / "mounts"
    mounts.write_text("22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n", encoding="utf-8")
    monkeypatch.setattr(stored_hashes, "_MOUNTS", mounts)
    monkeypatch.setattr(stored_hashes, "SETTLED_AFTER_S", 0.03)
    return tmp_path / "cache" / "phraseproof" / "hashes"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model" / "model.safetensors"
    path.parent.mkdir()
    path.write_bytes(b"weights")
    _let_it_settle()
    return path


def _let_it_settle() -> None:
    """Wait for more ticks of the clock than `SETTLED_AFTER_S` has here: some systems have one every 10 ms."""
    time.sleep(0.05)


def test_a_file_that_did_not_change_is_read_once(cache: Path, model: Path) -> None:
    read = Reader(model)
    assert [read.stored() for _ in range(3)] == [file_hash(model)] * 3
    assert read.times == 1
    assert len(list(cache.iterdir())) == 1


def _rewrite_in_place(path: Path) -> None:
    path.write_bytes(b"WEIGHTS")


def _rewrite_and_restore_mtime(path: Path) -> None:
    times = path.stat()
    path.write_bytes(b"WEIGHTS")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def _replace_by_another_file_of_the_same_size_and_mtime(path: Path) -> None:
    other = path.with_suffix(".new")
    other.write_bytes(b"WEIGHTS")
    times = path.stat()
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.replace(path)


def _append(path: Path) -> None:
    with path.open("ab") as stream:
        stream.write(b"!")


def _link_to_another_file(path: Path) -> None:
    other = path.parent.parent / "other.safetensors"
    other.write_bytes(b"WEIGHTS")
    path.unlink()
    path.symlink_to(other)


def _write_through_a_hard_link(path: Path) -> None:
    link = path.parent.parent / "link"
    os.link(path, link)
    link.write_bytes(b"WEIGHTS")


def _restore_another_folder_over_it(path: Path) -> None:
    other = path.parent.parent / "other"
    shutil.copytree(path.parent, other)
    (other / path.name).write_bytes(b"WEIGHTS")
    times = path.stat()
    os.utime(other / path.name, ns=(times.st_atime_ns, times.st_mtime_ns))
    shutil.rmtree(path.parent)
    other.rename(path.parent)


CHANGES = [
    _rewrite_in_place,
    _rewrite_and_restore_mtime,
    _replace_by_another_file_of_the_same_size_and_mtime,
    _append,
    _link_to_another_file,
    _write_through_a_hard_link,
    _restore_another_folder_over_it,
]


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__.strip("_"))
def test_a_file_that_changed_is_read_again(model: Path, change: Callable[[Path], None]) -> None:
    read = Reader(model)
    first = read.stored()
    change(model)
    assert read.stored() == file_hash(model) != first
    assert read.times == 2


@pytest.mark.usefixtures("cache")
def test_a_file_more_or_less_is_another_set(model: Path) -> None:
    config = model.with_name("config.json")
    config.write_text("{}", encoding="utf-8")
    both = Reader(config, model)
    assert both.stored() == file_hash(config, model)
    assert Reader(model).stored() == file_hash(model)
    assert Reader(model, config).stored() == file_hash(model, config)
    config.write_text("[]", encoding="utf-8")
    assert both.stored() == file_hash(config, model)


@pytest.mark.usefixtures("cache")
def test_hashes_of_two_kinds_are_not_mixed(model: Path) -> None:
    assert stored_hash([model], lambda: "0" * 32, kind="one") == "0" * 32
    assert stored_hash([model], lambda: "1" * 32, kind="other") == "1" * 32


def test_a_file_that_changed_a_moment_ago_is_not_kept(
    cache: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_hashes, "SETTLED_AFTER_S", 300.0)
    read = Reader(model)
    # Another change within the same tick of the clock would leave no trace.
    assert read.stored() == read.stored()
    assert read.times == 2
    assert list(cache.iterdir()) == []


def test_a_file_from_the_future_is_not_kept(cache: Path, model: Path) -> None:
    later = model.stat().st_mtime_ns + 10**15
    os.utime(model, ns=(later, later))
    Reader(model).stored()
    assert list(cache.iterdir()) == []


@pytest.mark.usefixtures("cache")
def test_a_file_with_the_time_of_a_disk_image_is_not_kept(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Images are made with one ctime for all files, in seconds; no program can set one here."""
    whole = 1_700_000_000 * 10**9
    read_times = FileTimes.of
    monkeypatch.setattr(FileTimes, "of", lambda path: read_times(path)._replace(mtime_ns=whole, ctime_ns=whole))
    read = Reader(model)
    assert read.stored() == read.stored()
    assert read.times == 2
    monkeypatch.setattr(FileTimes, "of", lambda path: read_times(path)._replace(mtime_ns=whole, ctime_ns=whole + 1))
    assert read.stored() == read.stored()
    assert read.times == 3


def test_a_file_that_changes_while_it_is_read_is_not_kept(cache: Path, model: Path) -> None:
    def read_and_change() -> str:
        found = file_hash(model)
        model.write_bytes(b"WEIGHTS")
        return found

    stored_hash([model], read_and_change, kind="any")
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs", "9p", "tmpfs", "overlay"])
def test_only_local_file_systems_are_trusted(cache: Path, model: Path, tmp_path: Path, kind: str) -> None:
    line = f"30 22 0:44 / {model.parent} rw,relatime shared:1 master:2 - {kind} server:/x rw\n"
    with (tmp_path / "mounts").open("a", encoding="utf-8") as stream:
        stream.write(line)
    read = Reader(model)
    assert read.stored() == read.stored() == file_hash(model)
    assert read.times == 2
    assert not cache.exists()


@pytest.mark.usefixtures("cache")
def test_a_mount_point_with_a_space_is_found(tmp_path: Path) -> None:
    model = tmp_path / "my models" / "model.bin"
    model.parent.mkdir()
    model.write_bytes(b"weights")
    _let_it_settle()
    escaped = str(model.parent).replace(" ", "\\040")
    with (tmp_path / "mounts").open("a", encoding="utf-8") as stream:
        stream.write(f"30 22 0:44 / {escaped} rw - nfs server:/x rw\n")
    read = Reader(model)
    read.stored()
    read.stored()
    assert read.times == 2


def test_a_system_that_does_not_list_its_mounts_is_not_trusted(cache: Path, model: Path, tmp_path: Path) -> None:
    (tmp_path / "mounts").unlink()
    Reader(model).stored()
    assert not cache.exists()


DAMAGES: list[Callable[[Path], object]] = [
    lambda entry: entry.write_text("", encoding="utf-8"),
    lambda entry: entry.write_text("[]", encoding="utf-8"),
    lambda entry: entry.write_text(entry.read_text(encoding="utf-8")[:-9], encoding="utf-8"),
    lambda entry: entry.write_text(json.dumps(json.loads(entry.read_bytes()) | {"hash": "0" * 32}), encoding="utf-8"),
    lambda entry: entry.write_text(json.dumps(json.loads(entry.read_bytes()) | {"hash": 7}), encoding="utf-8"),
    lambda entry: entry.chmod(0o666),
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_entry_is_computed_again(cache: Path, model: Path, damage: Callable[[Path], object]) -> None:
    read = Reader(model)
    read.stored()
    [entry] = cache.iterdir()
    damage(entry)
    assert [read.stored() for _ in range(2)] == [file_hash(model)] * 2
    assert read.times == 2


def test_a_folder_in_which_others_can_write_is_not_used(cache: Path, model: Path) -> None:
    read = Reader(model)
    read.stored()
    cache.chmod(0o777)
    read.stored()
    assert read.times == 2


@pytest.mark.usefixtures("cache")
def test_a_home_that_cannot_be_written_costs_time_only(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert Reader(model).stored() == file_hash(model)


def test_it_can_be_switched_off(cache: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(user_cache.SWITCH, "off")
    Reader(model).stored()
    assert not cache.exists()


def test_small_files_are_hashed_each_time(cache: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_hashes, "WORTH_KEEPING_BYTES", 1 << 20)
    Reader(model).stored()
    assert not cache.exists()


def test_the_cache_does_not_grow_without_end(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_cache, "MOST_KEPT", 3)
    for name in range(5):
        path = tmp_path / str(name)
        path.write_bytes(b"weights")
        _let_it_settle()
        Reader(path).stored()
    assert len(list(cache.iterdir())) == 3


@pytest.mark.usefixtures("cache")
def test_a_file_that_is_missing_is_reported_by_the_one_who_reads_it(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        Reader(tmp_path / "missing").stored()
