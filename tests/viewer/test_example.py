"""One example under all wordings: answers, options and neighbours."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from phraseproof.viewer.example import ExampleView, example_of, letter
from phraseproof.viewer.grid import settled
from phraseproof.viewer.index import RunIndex
from phraseproof.viewer.state import PageState
from support.run_files import edit_run_file
from support.viewed_runs import opened, write_options_run, write_texts_run

STATE = PageState(task="t", shots=0, sort="plan", example="e2")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> RunIndex:
    return opened(write_options_run(tmp_path_factory.mktemp("example") / "run", prompts=True))


def view(index: RunIndex, state: PageState) -> ExampleView:
    found = example_of(index, settled(index, state))
    assert found is not None
    return found


def test_answers_of_all_wordings(index: RunIndex) -> None:
    found = view(index, STATE)
    assert [(card.line.column.instruction, card.mean, card.is_best) for card in found.cards.rows] == [
        ("w/a", 1.0, True),
        ("w/b", 0.0, False),
        ("w/c", 0.0, False),
    ]
    assert found.references == ("no",)
    assert [(count.name, count.num_wordings) for count in found.counts] == [("A: yes", 2), ("B: no", 1)]
    assert (found.earlier, found.later, found.place, found.total) == ("e1", "e3", 2, 4)


def test_options_with_log_probabilities_and_shares(index: RunIndex) -> None:
    (answer,) = view(index, STATE).cards.rows[0].answers
    yes, no = answer.options
    assert (yes.text, yes.logprob, yes.is_chosen, yes.is_right) == ("yes", -1.5, False, False)
    assert (no.text, no.logprob, no.is_chosen, no.is_right) == ("no", -0.25, True, True)
    assert no.share == pytest.approx(1 / (1 + math.exp(-1.25)))
    assert answer.prompt == "Is 2 odd? w/a"
    assert answer.prompt_tokens == 7


def test_only_wordings_with_an_answer(index: RunIndex) -> None:
    found = view(index, STATE.having(answer="0"))
    assert [card.line.column.instruction for card in found.cards.rows] == ["w/b", "w/c"]
    assert view(index, STATE.having(answer="'")).cards.rows == []


def test_the_named_wordings_come_first(index: RunIndex) -> None:
    found = view(index, STATE.having(wording="w/c"))
    assert [card.line.column.instruction for card in found.cards.rows] == ["w/c", "w/a", "w/b"]


def test_neighbours_are_those_of_the_filter(index: RunIndex) -> None:
    found = view(index, STATE.having(show="differ"))
    assert (found.earlier, found.later) == ("e1", "e4")
    outside = view(index, STATE.having(example="e3", show="differ"))
    assert (outside.earlier, outside.later, outside.place, outside.total) == ("", "", 0, 3)
    first = view(index, STATE.having(example="e1"))
    assert (first.earlier, first.later) == ("", "e2")


@pytest.mark.parametrize("name", ["", "e9", "' OR 1=1 --", "e2\0"])
def test_examples_that_do_not_exist(index: RunIndex, name: str) -> None:
    assert example_of(index, settled(index, STATE.having(example=name))) is None


def test_texts_are_read_whole(tmp_path: Path) -> None:
    index = opened(write_texts_run(tmp_path / "run", {"w/a": ("the cat sat", "a dog"), "w/b": ("x", "a dog")}))
    found = view(index, PageState(task="texts", shots=0, example="e1"))
    (answer,) = found.cards.rows[0].answers
    assert (answer.text, answer.is_cut, answer.options, answer.is_unread) == ("a dog", True, (), False)
    assert found.references == ("the cat sat",)
    assert [(count.name, count.num_wordings) for count in found.counts] == [("a dog", 2)]


def test_draws_are_named(tmp_path: Path) -> None:
    index = opened(write_options_run(tmp_path / "run", {"w/a": (1, 1)}, repeats={"w/a": [(1, 0)]}))
    (card,) = view(index, STATE).cards.rows
    assert [answer.draw for answer in card.answers] == ["repeat 0", "repeat 1"]
    assert (card.mean, card.is_best, card.num_answers) == (0.5, False, 2)


def test_a_prompt_that_cannot_be_rendered_says_why(tmp_path: Path) -> None:
    index = opened(write_options_run(tmp_path / "run"))
    (answer,) = view(index, STATE).cards.rows[0].answers
    assert answer.prompt is None
    assert "does not say on which data it was made" in answer.prompt_note


def test_where_options_have_a_prompt_each_the_shown_one_says_so(tmp_path: Path) -> None:
    path = write_options_run(tmp_path / "run", prompts=True)
    edit_run_file(path, lambda content: content["instructions"]["w/b"].update(continuation="{{ end }}"))
    notes = {card.line.column.instruction: card.answers[0].prompt_note for card in view(opened(path), STATE).cards.rows}
    assert notes["w/a"] == ""
    assert notes["w/b"].startswith("Each option has a prompt, and this is the longest")


@pytest.mark.parametrize(("number", "name"), [(0, "A"), (25, "Z"), (26, "27"), (None, ""), (-1, "")])
def test_letters(number: int | None, name: str) -> None:
    assert letter(number) == name
