"""Answers from a file: which one a prompt gets, and what files are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.core import Prompt, Sampling
from phraseproof.errors import FileError
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.scripted.prepared_answers import read_answers

ANSWERS = """\
answers:
  - {to: [sea, salty], say: very}
  - {to: sea, say: [blue, deep]}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "answers.yaml"
    path.write_text(ANSWERS, encoding="utf-8")
    return path


def test_the_first_whose_texts_all_stand_in_the_prompt_answers(file: Path) -> None:
    write = read_answers(file).write
    assert write(Prompt("Is the sea salty?"), Sampling()) == "very"
    assert [write(Prompt("the sea"), Sampling(seed=seed)) for seed in (0, 1, 2)] == ["blue", "deep", "blue"]
    assert write(Prompt("salty"), Sampling()) == ""


def test_other_answers_make_another_model(file: Path) -> None:
    options = ModelOptions(args={"answers": str(file)})
    first = load_model("scripted", options).identity
    file.write_text(ANSWERS.replace("very", "a little"), encoding="utf-8")
    assert load_model("scripted", options).identity != first
    assert load_model("scripted").identity.settings.keys() == {"rule", "seed"}


@pytest.mark.parametrize(
    "text", ["answers: []\nmore: 1", "answers: [{to: [], say: x}]", "answers: [{to: x, say: ''}]", "["]
)
def test_a_file_of_another_form_is_refused(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FileError):
        read_answers(file)
