"""Files are there whole or as they were, and what cannot be written is said in one line."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.errors import FileError, RunError
from phraseproof.files import (
    files_below,
    files_in,
    load_json,
    parse_json,
    publish,
    read_bytes,
    replacing,
    replacing_many,
    require_regular,
    write_json,
    write_text,
)


def test_what_stops_in_the_middle_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "made" / "for-it.txt"
    write_text(path, "before\n")

    def stop(temporary: Path) -> None:
        temporary.write_text("half of it")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), replacing(path) as temporary:
        stop(temporary)
    assert path.read_bytes() == b"before\n"
    assert [each.name for each in path.parent.iterdir()] == ["for-it.txt"]


def test_of_many_files_all_are_replaced_or_none(tmp_path: Path) -> None:
    kept = tmp_path / "a" / "kept"
    write_text(kept, "before")

    def write(names: tuple[str, ...], *, stops: bool) -> None:
        with replacing_many(error=RunError) as temporary:
            for name in names:
                temporary(tmp_path / name).write_text(name)
            if stops:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(("a/kept", "b/new"), stops=True)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["kept"]
    assert kept.read_text() == "before"
    write(("a/kept", "b/new"), stops=False)
    assert {path.name: path.read_text() for path in tmp_path.rglob("*") if path.is_file()} == {
        "kept": "a/kept",
        "new": "b/new",
    }
    with pytest.raises(RunError, match="kept/below: cannot be written"):
        write(("b/other", "a/kept/below"), stops=False)
    assert not (tmp_path / "b" / "other").exists()


def test_all_of_many_files_are_on_disk_before_one_has_its_name_and_their_folder_is_synced_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[str, int]] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        name = Path(f"/proc/self/fd/{descriptor}").readlink().name
        synced.append((name.split(".")[1] if name.endswith(".tmp") else name, len(list(tmp_path.glob("[0-9]*")))))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with replacing_many() as temporary:
        for number in range(40):
            temporary(tmp_path / str(number)).write_text("x")
    assert sorted(synced[:-1]) == sorted((str(number), 0) for number in range(40))
    assert synced[-1] == (tmp_path.name, 40)


@pytest.mark.parametrize("error", [FileError, RunError])
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, error: type[FileError | RunError]) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "below"
    with pytest.raises(error, match="below: cannot be written"):
        write_text(path, "text", error=error)


def test_a_url_does_not_become_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileError, match="a file of this machine is needed, not a URL"):
        write_text(Path("s3://bucket/report.html"), "")
    assert list(tmp_path.iterdir()) == []


def test_a_block_that_writes_nothing_is_an_error_and_takes_nothing_away(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_text("kept")
    with pytest.raises(FileError, match="cannot be written"), replacing(path):
        pass
    assert path.read_text() == "kept"


@given(text=st.text(st.characters(codec="utf-8")))
def test_texts_and_json_come_back_as_they_were(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.getbasetemp()
    write_text(folder / "a.txt", text)
    assert (folder / "a.txt").read_bytes() == text.encode()
    write_json(folder / "a.json", {"text": text, "list": [1, None]})
    assert json.loads((folder / "a.json").read_text(encoding="utf-8")) == {"text": text, "list": [1, None]}


def test_bytes_of_a_command_line_that_are_no_text_are_spelled(tmp_path: Path) -> None:
    write_json(tmp_path / "run.json", {"command": "\udcff"})
    assert json.loads((tmp_path / "run.json").read_text(encoding="utf-8")) == {"command": "\udcff"}


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    """A named pipe would wait for a writer, a device would never end."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, kind in ((pipe, "a named pipe"), (Path("/dev/zero"), "a device"), (tmp_path, "a folder")):
        with pytest.raises(OSError, match=f"not a regular file but {kind}"):
            require_regular(path)
        with pytest.raises(FileError, match=f"not a regular file but {kind}"):
            load_json(path)
    link = tmp_path / "link"
    link.symlink_to("/dev/zero")
    with pytest.raises(OSError, match="a device"):
        read_bytes(link)
    (tmp_path / "large").write_bytes(bytes(11))
    with pytest.raises(OSError, match="11 bytes, more than 10"):
        read_bytes(tmp_path / "large", max_bytes=10)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 100_000, "nested too deeply"),
        ("9" * 5000, "too many digits"),
        (b"\xff", "not UTF-8 text"),
        ("{", "Expecting"),
    ],
)
def test_json_that_cannot_be_read_is_a_value_error_of_one_line(text: str | bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        parse_json(text)
    assert "\n" not in str(caught.value)


def test_a_file_of_a_very_long_name_is_written(tmp_path: Path) -> None:
    path = tmp_path / f"{'x' * 240}.txt"
    write_text(path, "text")
    assert path.read_text() == "text"


def test_a_published_folder_replaces_nothing_by_half_and_its_parent_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What reaches the disk, in order: the content, the folder that is renamed, its parent after the rename."""
    source = tmp_path / ".new"
    (source / "inner").mkdir(parents=True)
    (source / "inner" / "a").write_text("a")
    synced: list[tuple[str, bool]] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        name = Path(f"/proc/self/fd/{descriptor}").readlink().name
        synced.append((name, (tmp_path / "final").exists()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    publish(source, tmp_path / "final")
    assert synced == [("inner", False), ("a", False), (".new", False), (tmp_path.name, True)]
    assert (tmp_path / "final" / "inner" / "a").read_text() == "a"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
@pytest.mark.parametrize(("umask", "expected"), [(0o022, 0o644), (0o007, 0o660), (0o077, 0o600)])
def test_a_published_file_that_only_its_owner_could_read_gets_the_permissions_of_a_new_one(
    umask: int, expected: int, tmp_path: Path
) -> None:
    source = tmp_path / "new"
    source.write_text("weights")
    source.chmod(0o600)
    before = os.umask(umask)
    try:
        publish(source, tmp_path / "final")
    finally:
        os.umask(before)
    assert (tmp_path / "final").stat().st_mode & 0o777 == expected
    assert [path.name for path in tmp_path.iterdir()] == ["final"]


@pytest.mark.parametrize("listed", [files_below, files_in])
def test_a_folder_that_vanishes_while_it_is_listed_has_no_files(
    listed: Callable[[Path], Iterable[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As that of journals whose cells are complete, which another process removes."""
    for name in ("a/gone/x", "a/kept/y", "a/z"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    before = list(listed(tmp_path / "a"))
    scandir = os.scandir

    def scandir_too_late(path: str | Path | int) -> Iterator[os.DirEntry[str]]:
        if not isinstance(path, int) and Path(path).name in {"gone", "b"}:
            shutil.rmtree(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scandir_too_late)
    assert set(listed(tmp_path / "a")) == {path for path in before if path.parent.name != "gone"} != set()
    (tmp_path / "b").mkdir()
    assert list(listed(tmp_path / "b")) == []


def test_a_folder_that_cannot_be_read_is_an_error_and_not_empty(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for listed in (files_below, files_in):
        with pytest.raises(NotADirectoryError):
            list(listed(tmp_path / "file"))
