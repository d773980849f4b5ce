"""Files of examples: Alpaca's form, prompts and answers of published mixtures, and paraphrase sets."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from phraseproof.alignment.pairs import save_pairs
from phraseproof.errors import FileError
from phraseproof.tuning.examples import load_examples
from support.tiny_pairs import shared_wordings


def written(path: Path, rows: object) -> Path:
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def test_alpacas_form(tmp_path: Path) -> None:
    rows = [
        {"instruction": "Name a river.", "input": "", "output": "Nile", "text": "ignored"},
        {"instruction": "Translate.", "input": "chien", "output": " dog\n"},
        {"instruction": "Say nothing.", "input": "", "output": ""},
    ]
    found = load_examples(written(tmp_path / "a.json", rows))
    assert found.without_answer == 1
    first, second = found.examples
    assert (first.instruction, first.input, first.output) == ("Name a river.", "", "Nile")
    assert (second.instruction, second.input, second.output) == ("Translate.", "chien", "dog")
    rendered = first.rendered()
    assert (rendered.ask, rendered.tested) == (None, "Name a river.")
    rendered = second.rendered()
    assert (rendered.ask, rendered.tested, rendered.options) == ("Translate.", "chien", ("dog",))


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [("prompt", "answer"), ("inputs", "targets"), ("inputs_pretokenized", "targets_pretokenized")],
)
def test_prompts_and_answers(tmp_path: Path, prompt: str, answer: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({prompt: "Is it so?", answer: "yes"}) + "\n")
    (example,) = load_examples(path).examples
    assert (example.instruction, example.input, example.output) == ("Is it so?", "", "yes")


def test_every_wording_of_a_set_is_an_example(tmp_path: Path) -> None:
    pairs = shared_wordings(3)
    pairs[2] = dataclasses.replace(pairs[2], target="", labelled=False)
    save_pairs(pairs, tmp_path / "pairs.jsonl")
    found = load_examples(tmp_path / "pairs.jsonl")
    assert found.without_answer == 1
    assert [each.instruction for each in found.examples] == [text for pair in pairs[:2] for text in pair.wordings]
    assert {each.output for each in found.examples} == {"A", "B"}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"question": "a", "reply": "b"}], "no instruction and answer"),
        ([{"instruction": "a", "output": 3}], r"row 0, output: output is not a string|output is not a string"),
        ([{"instruction": "a", "output": "b"}, {"instruction": "a"}], "the row has no 'output'"),
        ([{"instruction": " ", "output": "b"}], "the text is empty"),
        ([{"instruction": "a", "output": ""}], "no example with an answer"),
    ],
)
def test_what_cannot_be_used_is_one_line(tmp_path: Path, rows: object, message: str) -> None:
    with pytest.raises(FileError, match=message) as raised:
        load_examples(written(tmp_path / "a.json", rows))
    assert "\n" not in str(raised.value)
