"""The archive of an Inspect log: members in Zstandard, as Inspect writes them, and damaged ones."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from phraseproof.errors import FileError
from phraseproof.logs.eval_archive import EvalArchive

REAL = min((Path(__file__).parent / "data" / "inspect").glob("*.eval"))


def test_header_and_samples_are_read() -> None:
    archive = EvalArchive(REAL)
    header = archive.header()
    assert (header["version"], header["status"]) == (2, "success")
    assert [(sample["id"], sample["epoch"]) for sample in archive.samples()] == [
        (number, epoch) for epoch in (1, 2) for number in (1, 2, 3)
    ]


def test_a_damaged_member_is_one_line(tmp_path: Path) -> None:
    with zipfile.ZipFile(REAL) as archive:
        member = archive.getinfo("header.json")
    content = bytearray(REAL.read_bytes())
    content[member.header_offset + 30 + len("header.json") + member.compress_size // 2] ^= 0xFF
    path = tmp_path / "x.eval"
    path.write_bytes(content)
    with pytest.raises(FileError, match=r"header\.json: a part of the log cannot be read"):
        EvalArchive(path).header()


def test_a_log_that_was_stopped_has_no_header(tmp_path: Path) -> None:
    path = tmp_path / "x.eval"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_journal/start.json", json.dumps({"version": 2, "eval": {}}))
        archive.writestr("samples/1_epoch_1.json", "{")
    assert EvalArchive(path).header() == {"version": 2, "eval": {}}
    with pytest.raises(FileError, match="not valid JSON"):
        list(EvalArchive(path).samples())


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.eval"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "none")
    with pytest.raises(FileError, match=r"expected header\.json or _journal/start\.json"):
        EvalArchive(path).header()
    path.write_text("text", encoding="utf-8")
    for place in (path, tmp_path, tmp_path / "none.eval"):
        with pytest.raises(FileError):
            EvalArchive(place)


def test_archives_of_later_versions_and_encrypted_members_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.eval"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.json", "{}")
    entry = path.read_bytes().index(b"PK\x01\x02")
    for offset, value, problem in ((6, 210, "zip file version 21"), (8, 1, "encrypted")):
        content = bytearray(path.read_bytes())
        content[entry + offset] = value
        changed = tmp_path / f"{value}.eval"
        changed.write_bytes(content)
        with pytest.raises(FileError, match=problem):
            EvalArchive(changed).header()
