"""Paraphrasing a collection, with plain functions for a paraphraser."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from phraseproof.core import Instruction, Relation
from phraseproof.errors import PhraseproofError
from phraseproof.instructions.collections import Collection, load_collection
from phraseproof.instructions.paraphrase import (
    ParaphraseSettings,
    paraphrase,
    requests,
)
from phraseproof.instructions.paraphrase_journal import Journal
from phraseproof.instructions.paraphrase_prompts import ParaphrasePrompts
from phraseproof.instructions.writing import write_collection

SEEDS = Collection(
    "mine",
    (
        Instruction(
            "which", "mine", ask="Which of {{ choices }} fits the message best?", layout="{{ m }}", licence="L"
        ),
        Instruction("plain", "mine", ask="Pick the best team of all.", layout="{{ m }}", serves=("tickets",)),
        Instruction("whole", "mine", template="{{ m }}"),
    ),
)
TWO = ParaphrasePrompts(
    "two", ("Say otherwise: {instruction} New one:", "Longer please, thank you so much: {instruction}")
)
SETTINGS = ParaphraseSettings(TWO, author="a model", sampling="greedy")


class Scripted:
    """Answers by a list for each prompt's beginning, and remembers what it was asked."""

    def __init__(self, **answers: list[str]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, int]] = []

    def __call__(self, prompts: Sequence[str], attempt: int) -> Iterable[tuple[int, str]]:
        for index in reversed(range(len(prompts))):
            prompt = prompts[index]
            self.asked.append((prompt, attempt))
            which = ("which" if "[[1]]" in prompt else "plain") + ("1" if "Say otherwise" in prompt else "2")
            yield index, self.answers[which][attempt]


GOOD = {
    "which1": ["For this text, [[1]]: what suits it?"],
    "which2": ["Out of [[1]], please tell me what you would say belongs here."],
    "plain1": ["Name whichever group should take it."],
    "plain2": ["Have a look and decide on a crew, if you would."],
}


def test_every_ask_is_paraphrased_by_every_prompt() -> None:
    model = Scripted(**GOOD)
    counted: list[int] = []
    found = paraphrase(SEEDS, model, SETTINGS, on_answer=counted.append)
    assert [each.id for each in found.instructions] == ["which~two-1", "which~two-2", "plain~two-1", "plain~two-2"]
    first, plain = found.instructions[0], found.instructions[2]
    assert first.ask == "For this text, {{ choices }}: what suits it?"
    assert (first.layout, first.answer, first.licence) == ("{{ m }}", SEEDS.instructions[0].answer, "L")
    assert (plain.serves, plain.relation, plain.author) == (("tickets",), Relation.PARAPHRASE, "a model")
    assert first.source == "paraphrase of mine/which by prompt two-1, greedy"
    assert [(each.seed, each.reason) for each in found.skipped] == [
        ("mine/whole", "its ask cannot be separated from its example (a template)")
    ]
    assert found.dropped == ()
    assert sum(counted) == 4
    assert sorted(prompt for prompt, _ in model.asked) == sorted(requests(SEEDS, SETTINGS))
    assert "Say otherwise: Which of [[1]] fits the message best? New one:" in requests(SEEDS, SETTINGS)


def test_rouge_2_is_with_the_seed() -> None:
    # "the best team" of six words is kept: two of five pairs on one side, two of four on the other.
    model = Scripted(**{**GOOD, "plain1": ["Name the best team now."]})
    found = paraphrase(SEEDS, model, SETTINGS).kept[2]
    assert found.rouge2 == pytest.approx(2 * 2 / (5 + 4))


def test_what_fails_is_asked_again_with_a_reminder_and_then_dropped() -> None:
    answers = {
        "which1": ["No placeholder.", "Still none.", "For this text, [[1]]?"],
        "which2": ["Out of [[1]] and [[1]].", "", "[[2]]"],
        "plain1": ["Pick the best team, of all!", "pick THE best team of all", "Name whichever group should take it."],
        "plain2": ["Name whichever group should take it!"] * 3,
    }
    model = Scripted(**answers)
    found = paraphrase(SEEDS, model, SETTINGS)
    assert [(each.instruction.id, each.attempt) for each in found.kept] == [("which~two-1", 3), ("plain~two-2", 1)]
    reasons = {(each.seed, each.prompt): each.reason for each in found.dropped}
    assert reasons == {
        ("mine/which", 2): "it is empty",
        ("mine/plain", 1): "it is a copy of plain~two-2",
    }
    again = [prompt for prompt, attempt in model.asked if attempt == 1]
    assert len(again) == 3
    assert any(p.startswith("(Keep [[1]] exactly as written. Give the new text alone.)\nSay otherwise") for p in again)
    assert any(p.startswith("(Use other words than the original. Give the new text alone.)") for p in again)


def test_near_copies_and_prompts_said_again_are_dropped() -> None:
    near = "Pick the best team of all, please."
    model = Scripted(**{**GOOD, "plain1": [near], "plain2": ["Longer please, thank you so much: Decide on a crew"]})
    found = paraphrase(SEEDS, model, ParaphraseSettings(TWO, attempts=1, near_copy=0.8))
    assert [each.reason for each in found.dropped] == [
        "it is a near-copy of the seed (ROUGE-2 91)",
        "it repeats the prompt",
    ]
    assert len(paraphrase(SEEDS, model, ParaphraseSettings(TWO, attempts=1, near_copy=0.95)).kept) == 3


def test_nothing_is_asked_twice(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "asked.jsonl"

    class StoppedError(Exception):
        pass

    def stops(prompts: Sequence[str], attempt: int) -> Iterable[tuple[int, str]]:
        for done, pair in enumerate(Scripted(**GOOD)(prompts, attempt)):
            if done == 3:
                raise StoppedError
            yield pair

    with pytest.raises(StoppedError):
        paraphrase(SEEDS, stops, SETTINGS, journal=Journal(path, {"model": "m"}))
    assert len(path.read_text().splitlines()) == 3
    with path.open("a") as stream:
        stream.write('{"key": "cut o')
    model = Scripted(**GOOD)
    found = paraphrase(SEEDS, model, SETTINGS, journal=Journal(path, {"model": "m"}))
    assert len(model.asked) == 1
    assert found == paraphrase(SEEDS, Scripted(**GOOD), SETTINGS)
    assert [json.loads(line)["attempt"] for line in path.read_text().splitlines()] == [0] * 4
    idle = Scripted()
    assert paraphrase(SEEDS, idle, SETTINGS, journal=Journal(path, {"model": "m"})) == found
    assert idle.asked == []
    other = Scripted(**GOOD)
    paraphrase(SEEDS, other, SETTINGS, journal=Journal(path, {"model": "another"}))
    assert len(other.asked) == 4


def test_what_is_made_can_be_written_and_read_back(tmp_path: Path) -> None:
    found = paraphrase(SEEDS, Scripted(**GOOD), SETTINGS)
    write_collection(tmp_path / "new.yaml", "new", found.instructions)
    again = load_collection(str(tmp_path / "new.yaml")).instructions
    assert [(each.id, each.ask, each.relation, each.source) for each in again] == [
        (each.id, each.ask, each.relation, each.source) for each in found.instructions
    ]


# ------------------------------------------------------------------------------------------------------------- prompts


@pytest.mark.parametrize("settings", [ParaphraseSettings(TWO, attempts=0), ParaphraseSettings(TWO, near_copy=90)])
def test_settings_out_of_range(settings: ParaphraseSettings) -> None:
    with pytest.raises(PhraseproofError):
        paraphrase(SEEDS, Scripted(), settings)
