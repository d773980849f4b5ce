"""`phraseproof.paraphrase`: a collection paraphrased in one call."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import phraseproof
from phraseproof.core import Instruction
from phraseproof.errors import UsageError
from phraseproof.evaluation.paraphrasing import wordings_to_paraphrase
from phraseproof.instructions.collections import Collection, load_collection
from phraseproof.models.scripted import ScriptedModel

SEEDS = Collection(
    "mine",
    (
        Instruction("team", "mine", ask="Which team fits this message best?", layout="{{ m }}", serves=("tickets",)),
        Instruction("tone", "mine", ask="Say whether this text sounds friendly.", layout="{{ m }}", serves=("tone",)),
        Instruction("whole", "mine", template="{{ m }}", serves=("tickets",)),
    ),
)
PROMPTS = 'prompts: ["Say it otherwise: {instruction}", "Say it at length: {instruction}"]\n'


class Counting(ScriptedModel):
    """Answers every prompt in its own words, and counts them."""

    asked = 0

    def generate(self, prompts: object, **_settings: object) -> list[str]:
        texts: list[str] = []
        for prompt in prompts:  # type: ignore[attr-defined]
            self.asked += 1
            topic = "team" if "team" in prompt.text else "tone"
            texts.append(f"Decide on a {topic} by reading what number {len(prompt.text)} says to you.")
        return texts


def test_paraphrases_are_written_and_not_asked_for_twice(tmp_path: Path) -> None:
    prompts, out, model = tmp_path / "prompts.yaml", tmp_path / "new.yaml", Counting()
    prompts.write_text(PROMPTS, encoding="utf-8")
    first = phraseproof.paraphrase(SEEDS, model, out, prompts=prompts, attempts=1)
    assert [each.id for each in load_collection(str(out)).instructions] == [each.id for each in first.instructions]
    assert load_collection(str(out)).name == "new"
    assert [each.seed for each in first.skipped] == ["mine/whole"]
    asked = model.asked
    assert asked == 4
    assert phraseproof.paraphrase(SEEDS, model, out, prompts=prompts, attempts=1).instructions == first.instructions
    assert model.asked == asked


def test_without_a_file_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    received: list[int] = []
    result = phraseproof.paraphrase(SEEDS, Counting(), task="tone", attempts=1, on_answer=received.append)
    assert {each.seed.id for each in result.kept} == {"tone"}
    assert sum(received) == 3
    assert list(tmp_path.iterdir()) == []


def test_the_wordings_for_a_task() -> None:
    assert [each.id for each in wordings_to_paraphrase(SEEDS, "tickets").instructions] == ["team", "whole"]
    assert wordings_to_paraphrase(SEEDS, None) == SEEDS
    with pytest.raises(UsageError, match=r"no wording of 'mine' is for 'mmlu'\. Its wordings are for: tickets, tone"):
        wordings_to_paraphrase(SEEDS, "mmlu")


def test_help_lists_and_explains_every_parameter() -> None:
    signature = inspect.signature(phraseproof.paraphrase)
    text = inspect.getdoc(phraseproof.paraphrase) or ""
    for name, parameter in signature.parameters.items():
        assert parameter.kind is not inspect.Parameter.VAR_KEYWORD
        assert parameter.annotation is not inspect.Parameter.empty
        assert f"    {name}: " in text
