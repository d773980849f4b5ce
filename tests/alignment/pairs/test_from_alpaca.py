"""Alpaca's data and paraphrases of its instructions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from phraseproof.alignment.pairs import ParaphraseSet, pairs_from_alpaca
from phraseproof.errors import FileError

DATA = [
    {"instruction": "Name the capital.", "input": "France", "output": "Paris", "text": "passed over"},
    {"instruction": "Tell a joke.", "input": "", "output": "No."},
    {"instruction": "Name the capital. ", "input": "Italy\n", "output": " Rome"},
    {"instruction": "Name the capital.", "input": "Atlantis", "output": ""},
    {"instruction": "Sing.", "output": "La"},
]
REWRITTEN = [
    {"instruction": "Name the capital.", "paraphrases": ["Which city is the capital?"]},
    {"instruction": " Sing.", "paraphrases": ["Let me hear a song. "], "negations": ["Be silent."]},
    {"instruction": "Name the capital.", "paraphrases": ["Give the capital.", "Which city is the capital?"]},
]


def files(tmp_path: Path, data: Any = DATA, rewritten: Any = REWRITTEN) -> tuple[Path, Path]:
    first, second = tmp_path / "alpaca_data.json", tmp_path / "paraphrases.jsonl"
    first.write_text(json.dumps(data, indent=1))
    second.write_text("".join(json.dumps(row) + "\n" for row in rewritten))
    return first, second


def test_every_example_of_a_rewritten_instruction(tmp_path: Path) -> None:
    data, rewritten = files(tmp_path)
    pairs = pairs_from_alpaca(data, rewritten)
    capital = ("Which city is the capital?", "Give the capital.")
    assert pairs == [
        ParaphraseSet("Name the capital.", capital, "France", "Paris"),
        ParaphraseSet("Name the capital.", capital, "Italy\n", "Rome"),
        ParaphraseSet("Sing.", ("Let me hear a song.",), "", "La", ("Be silent.",)),
    ]
    assert pairs[0].source == f"{data}:2"


@pytest.mark.parametrize(
    ("rewritten", "complaint"),
    [
        (
            [*REWRITTEN, {"instruction": "Dance.", "paraphrases": ["Move."]}],
            r"jsonl:4, instruction: .*'Dance.' is not in",
        ),
        ([{"instruction": "Sing.", "paraphrases": []}], r"jsonl:1, paraphrases: the example has no paraphrase"),
        (
            [{"instruction": "Sing.", "paraphrases": ["La."], "negations": ["La."]}],
            r"jsonl:1, negations: a negation is equal to",
        ),
        ([{"instruction": "Sing.", "paraphrase": ["La."]}], r"jsonl:1, \w+: "),
    ],
)
def test_bad_paraphrases_are_named(tmp_path: Path, rewritten: Any, complaint: str) -> None:
    with pytest.raises(FileError, match=complaint):
        pairs_from_alpaca(*files(tmp_path, rewritten=rewritten))


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({"instruction": "Sing.", "output": 3}, r"json:2, output: output is not a string .*got 3"),
        ({"instruction": "Sing.", "input": ["a"], "output": "b"}, r"json:2, input: input is not a string"),
        (
            {"instruction": "Sing.", "target": "La"},
            r"json:2, output: the row has no 'output' .*got instruction, target",
        ),
        ({"prompt": "Sing."}, r"json:2, instruction: the row has no 'instruction'"),
        ({"instruction": "Sing.", "output": "\ud800"}, r"json:2, output: the text holds a lone surrogate"),
    ],
)
def test_bad_data_is_named(tmp_path: Path, row: Any, complaint: str) -> None:
    with pytest.raises(FileError, match=complaint):
        pairs_from_alpaca(*files(tmp_path, [row], [REWRITTEN[1]]))


def test_nothing_but_empty_outputs(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"alpaca_data.json: no example .* has an output"):
        pairs_from_alpaca(*files(tmp_path, DATA[3:4], REWRITTEN[:1]))
