"""Files are there whole or as they were, and what cannot be written is said in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.errors import FileError, RunError
from phraseproof.files import replacing, write_json, write_text


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


@pytest.mark.parametrize("error", [FileError, RunError])
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, error: type[FileError | RunError]) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "below"
    with pytest.raises(error, match="below: cannot be written"):
        write_text(path, "text", error=error)


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
