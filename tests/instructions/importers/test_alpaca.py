from __future__ import annotations

import json
from pathlib import Path

import pytest

from phraseproof.core import Example
from phraseproof.errors import FileError
from phraseproof.instructions.importers import ImportRequest, find
from phraseproof.instructions.template import compile_instruction

EXAMPLE = Example("e", {"question": "Which?", "text": "Rain."}, ("red", "blue"), (1.0, 0.0))


def table(folder: Path, text: str, name: str = "mine.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_alpaca_instructions_with_an_input_are_wordings(tmp_path: Path) -> None:
    rows = [
        {"instruction": "Name the {odd} one.", "input": "a, b, 3", "output": "3"},
        {"instruction": "Name the {odd} one.", "input": "x, y, 1", "output": "1"},
        {"instruction": "Write a poem.", "input": "", "output": "..."},
        {"instruction": "Write a song.", "input": "<noinput>", "output": "..."},
    ]
    path = table(tmp_path, json.dumps(rows), "alpaca_data.json")
    result = find("alpaca", tmp_path, ImportRequest(fields={"input": "question"}))
    (wording,) = result.wordings
    compiled = compile_instruction(wording)
    assert (compiled.render_ask(EXAMPLE), compiled.render_layout(EXAMPLE)) == ("Name the {odd} one.", "Which?")
    assert wording.source == "Stanford Alpaca, alpaca_data.json, row 1"
    assert [refused.name for refused in result.refused] == ["row 3", "row 4"]
    path.write_text('[{"instruction": 1}]', encoding="utf-8")
    with pytest.raises(FileError, match="row 1"):
        find("alpaca", path)
