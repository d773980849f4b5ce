from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from phraseproof.errors import FileError
from phraseproof.instructions.importers import find


def table(folder: Path, text: str, name: str = "mine.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_promptsuite_templates_and_exports(tmp_path: Path) -> None:
    template = {"instruction": "Answer, please.", "prompt format": "Q: {question}\nA: {answer}", "gold": "answer"}
    varied = {
        "instruction variations": "Do answer.",
        "prompt format variations": "Question - {question}\nAnswer - {answer}",
    }
    export = [
        {"prompt": "...", "configuration": {"template_config": template, "field_values": values}}
        for values in ({}, varied, varied | {"question": "another"})
    ]
    path = table(tmp_path, json.dumps(export), "suite.json")
    first, second = find("promptsuite", path).wordings
    assert (first.ask, first.layout) == ("Answer, please.", "Q: {{ question }}\nA:")
    assert (second.ask, second.layout) == ("Do answer.", "Question - {{ question }}\nAnswer -")
    single = find("promptsuite", table(tmp_path, json.dumps(template), "one.json"))
    assert next(single.wordings).layout == "Q: {{ question }}\nA:"
    rows = tmp_path / "suite.csv"
    with rows.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["prompt", *(f"field_{name}" for name in varied)])
        writer.writerow(["...", *varied.values()])
    assert next(find("promptsuite", rows).wordings).layout == "Question - {{ question }}\nAnswer -"
    with pytest.raises(FileError, match="not a PromptSuite file"):
        find("promptsuite", table(tmp_path, "[{}]", "none.json"))
