"""`phraseproof pairs from-alpaca`: Alpaca's examples joined with paraphrases of their instructions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from phraseproof.alignment.pairs import load_pairs
from support.command_line import exit_code as call

DATA = [
    {"instruction": "Sing.", "input": "", "output": "La"},
    {"instruction": "Translate.", "input": "rot", "output": "red"},
    {"instruction": "Sing.", "input": "loudly", "output": "LA"},
    {"instruction": "Sing.", "input": "", "output": ""},
]
REWRITTEN = {"instruction": "Sing.", "paraphrases": ["Let me hear a song."], "negations": ["Be silent."]}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data.json").write_text(json.dumps(DATA))
    (tmp_path / "rewritten.jsonl").write_text(json.dumps(REWRITTEN) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def from_alpaca(out: str = "pairs.jsonl") -> int:
    return call("pairs", "from-alpaca", "data.json", "-p", "rewritten.jsonl", "-o", out)


def test_examples_with_a_paraphrased_instruction_and_an_output_become_pairs(capsys: pytest.CaptureFixture[str]) -> None:
    assert from_alpaca() == 0
    assert capsys.readouterr() == ("2 pairs: pairs.jsonl\n", "")
    pairs = load_pairs(Path("pairs.jsonl"))
    assert [(pair.instruction, pair.input, pair.target) for pair in pairs] == [
        ("Sing.", "", "La"),
        ("Sing.", "loudly", "LA"),
    ]
    assert {pair.paraphrases for pair in pairs} == {("Let me hear a song.",)}
    assert {pair.negations for pair in pairs} == {("Be silent.",)}


def test_an_instruction_that_the_data_lacks_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    Path("rewritten.jsonl").write_text(json.dumps(REWRITTEN | {"instruction": "Dance."}) + "\n")
    assert from_alpaca() == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: rewritten.jsonl:1, instruction: the instruction 'Dance.' is not in data.json")
    assert not Path("pairs.jsonl").exists()


@pytest.mark.parametrize("kept", ["data.json", "rewritten.jsonl"])
def test_its_own_input_is_not_overwritten(kept: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (folder / kept).read_text()
    assert from_alpaca(kept) == 2
    assert kept in capsys.readouterr().err
    assert (folder / kept).read_text() == before
