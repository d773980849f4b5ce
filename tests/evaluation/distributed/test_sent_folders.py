"""Folders in parts: they arrive as they were sent, and only as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.evaluation.distributed import sent_folders
from phraseproof.evaluation.distributed.sent_folders import FolderReceiver, FolderSender, pack, unpack
from phraseproof.training.folder import LOCK_FILE
from support.inline_pool import fetch

CONTENT = {"phraseproof.json": b"{}", "epochs/1/weights": b"", "log": b"0123456789", "weights": b"abcde"}


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sent_folders, "PART_BYTES", 4)
    monkeypatch.setattr(sent_folders, "_SECONDS_BETWEEN", 0.0)


def write(folder: Path, content: dict[str, bytes]) -> Path:
    for name, data in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def read(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Way:
    """From a sender to a receiver; each part is counted."""

    def __init__(self, there: Path, here: Path) -> None:
        self.receiver, self.parts = FolderReceiver(here), list[tuple[str, bool, bytes]]()
        self.sender = FolderSender(there, lambda *part: self.parts.append(part))

    def pass_on(self, *, lost: int = 0) -> list[str]:
        names = self.sender.send()
        arrived = self.parts[: len(self.parts) - lost]
        for name, is_first, data in arrived:
            self.receiver.take(name, data, is_first=is_first)
        if not lost:
            self.receiver.commit(names)
        self.parts.clear()
        return [name for name, _, _ in arrived]


def test_a_folder_arrives_as_it_was(tmp_path: Path) -> None:
    folder = write(tmp_path / "one", {**CONTENT, LOCK_FILE: b"x", f"{LOCK_FILE}.holder": b"x"})
    sent = pack(folder, bytes)
    assert [len(each.parts) for each in sent.files] == [1, 3, 1, 2]
    unpack(sent, tmp_path / "other", fetch)
    assert read(tmp_path / "other") == CONTENT
    assert pack(tmp_path / "none", bytes).files == ()


def test_only_what_is_new_is_sent_and_what_was_removed_is_removed(tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    way = Way(there, write(here, {LOCK_FILE: b"x"}))
    write(there, {**CONTENT, ".training/step-1/weights": b"1"})
    way.pass_on()
    assert read(here) == {**CONTENT, ".training/step-1/weights": b"1", LOCK_FILE: b"x"}
    write(there, {"log": b"0123456789ab", ".training/step-2/weights": b"2"})
    (there / ".training/step-1/weights").unlink()
    assert sorted(set(way.pass_on())) == [".training/step-2/weights", "log"]
    assert read(here) == {**CONTENT, "log": b"0123456789ab", ".training/step-2/weights": b"2", LOCK_FILE: b"x"}
    (there / ".training/step-2/weights").unlink()
    write(here, {"notes of the user": b"x"})
    assert way.pass_on() == []
    assert not (here / ".training").exists()
    assert (here / "notes of the user").exists()


def test_what_came_of_a_lost_sender_is_not_used(tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    way = Way(there, here)
    write(there, {".training/step-1/weights": b"1", "log": b"one"})
    way.pass_on()
    write(there, {".training/step-2/weights": b"22222222", "log": b"one two"})
    assert way.pass_on(lost=1) != []
    way.receiver.forget()
    assert read(here) == {".training/step-1/weights": b"1", "log": b"one"}
    write(there, {"log": b"three"})
    way.pass_on()
    assert read(here)["log"] == b"three"


def test_a_checkpoint_is_sent_when_it_is_new_and_sending_takes_little_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, *[float(number) for number in range(100, 200, 10)]])
    monkeypatch.setattr(sent_folders.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(sent_folders, "_SECONDS_BETWEEN", 15.0)
    folder = write(tmp_path, {"log": b"1"})
    sender = FolderSender(folder, lambda *_: None)
    assert not sender.is_due()  # at 100 s
    write(folder, {".training/step-1/weights": b"1"})
    assert sender.is_due()  # at 110 s
    sender.send()  # from 120 to 130 s
    write(folder, {".training/step-2/weights": b"1"})
    assert not sender.is_due()  # 10 s later
    assert not sender.is_due()  # 10 of 150 s were spent
