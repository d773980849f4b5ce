from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.errors import FileError
from phraseproof.instructions.paraphrase_journal import Journal


@pytest.mark.parametrize("text", ["[]\n", "{}\n\n", 'not json\n{"key": "a", "answer": "b"}\n'])
def test_a_file_that_is_no_journal_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notes.jsonl"
    path.write_text(text)
    with pytest.raises(FileError, match=r"notes.jsonl:1: not a line of a paraphraser's journal"):
        Journal(path, None)
    assert path.read_text() == text
