from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.errors import FileError
from phraseproof.instructions.collections import load_collection
from phraseproof.instructions.importers import find, write


def table(folder: Path, text: str, name: str = "mine.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.slow
def test_every_released_wording_imports_and_survives_its_files(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "paper"
    if not (folder / "instructions.jsonl").exists():
        pytest.skip("the paper's released wordings are not beside this checkout")
    result = find("paper", folder)
    assert not result.refused
    assert len(list(result.wordings)) == 835
    loaded = [each for path in write(result, tmp_path) for each in load_collection(str(path)).instructions]
    assert loaded == list(result.wordings)  # what they render is shown in ../test_published_wordings.py
    counts = {name: sum(each.collection == name for each in loaded) for name in ("flan", "alpaca", "p3")}
    assert counts == {"flan": 368, "alpaca": 162, "p3": 91}


def test_a_line_that_is_no_released_wording_is_one_error(tmp_path: Path) -> None:
    path = table(tmp_path, '{"task": "x"}\n', "instructions.jsonl")
    with pytest.raises(FileError, match=r"instructions.jsonl:1"):
        find("paper", path)
