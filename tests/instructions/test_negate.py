"""Negations, sentence by sentence, and what holds for all of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.errors import InstructionError
from phraseproof.instructions.collections import load_collection
from phraseproof.instructions.negate import TASK_VERBS, negate
from phraseproof.instructions.similarity import words
from phraseproof.instructions.template_segments import prose, segments

NEGATED = [
    ("Choose the right option.", "Do not choose the right option."),
    ("Please choose the right option.", "Please do not choose the right option."),
    ("choose one", "do not choose one"),
    ("Could you please tell me which one it is?", "Could you please not tell me which one it is?"),
    ("Would you kindly read it and pick the best?", "Would you kindly read it and not pick the best?"),
    ("You must select a label.", "You must not select a label."),
    ("Your task is to classify the text.", "Your task is not to classify the text."),
    ("I want you to name the author.", "I want you not to name the author."),
    ("Read the text and decide whether it is true.", "Read the text and do not decide whether it is true."),
    ("Given a sentence, identify its language.", "Given a sentence, do not identify its language."),
    ("Here are two lists. Mark the one that is sorted.", "Here are two lists. Do not mark the one that is sorted."),
    ("Which of these is correct?", "Which of these is not correct?"),
    ("Which is the correct one?", "Which is not the correct one?"),
    ("Which of these is it?", "Which of these is it not?"),
    ("Which claim does the passage support?", "Which claim does the passage not support?"),
    ("Which of them best describes the picture?", "Which of them does not best describe the picture?"),
    ("Answer with {{ choices | join(' or ') }}.", "Do not answer with {{ choices | join(' or ') }}."),
    ("Select {{ letters }}, {{ choices }}", "Do not select {{ letters }}, {{ choices }}"),
]
LEFT_ALONE = [
    ("Does the last passage support the claim?", "yes-or-no question"),
    ("Is the sentence true?", "yes-or-no question"),
    ("Can we conclude B from A? Say yes or no.", "yes-or-no question"),
    ("Fill in the grid, and tick the box.", "two things"),
    ("Find the answer among these and copy it out.", "two things"),
    ("Classification:", "no rule"),
    ("{{ choices | join(' or ') }}?", "its question"),
    ("Answer: {{ question }}", "no rule"),
    ("Name of the author", "no rule"),
    ("Do not choose the wrong option. Really not.", "no rule"),
    ("Pick the one that is not true.", "negated already"),
    ("Which of these isn't it, and why is it not?", "negated already"),
    ("If the claim holds, write the word yes.", "a condition"),
    ("Is this on record anywhere? Pick one.", "yes-or-no question"),
    ("Wähle die richtige Antwort.", "no rule"),
    ("Est-ce que le texte est vrai ?", "its question"),
    ("Which category is the passage from the book in?", "its question"),
    ("In which of the four states was the author?", "its question"),
    ("Choose \ue000 here", "private use"),
]


@pytest.mark.parametrize(("ask", "negated"), NEGATED, ids=[ask for ask, _ in NEGATED])
def test_the_place_of_the_negation(ask: str, negated: str) -> None:
    assert negate(ask) == (negated, "")


@pytest.mark.parametrize(("ask", "reason"), LEFT_ALONE, ids=[ask for ask, _ in LEFT_ALONE])
def test_what_no_rule_covers_is_left_alone(ask: str, reason: str) -> None:
    found = negate(ask)
    assert found.source is None
    assert reason in found.reason


def test_of_the_composed_asks_most_are_negated_in_one_place_and_nothing_else_changes() -> None:
    asks = [each.ask for each in load_collection("composed").instructions if each.ask is not None]
    negated = {ask: found.source for ask in asks if (found := negate(ask)).source is not None}
    assert len(negated) > 0.5 * len(asks)
    for ask, source in negated.items():
        check_one_negation(ask, source)


def check_one_negation(ask: str, source: str) -> None:
    before, after = words(prose(ask)), words(prose(source))
    added = len(after) - len(before)
    assert added in {1, 2}
    assert after.count("not") == before.count("not") + 1
    # Taken out again (with "do" or "does" where it came with one), the negation leaves the ask's own words.
    place = next(index for index in range(len(after)) if index >= len(before) or after[index] != before[index])
    rest = after[:place] + after[place + added :]
    assert rest == before or [word.rstrip("s") for word in rest] == [word.rstrip("s") for word in before]
    code = [[segment.text for segment in segments(text) if not segment.is_prose] for text in (ask, source)]
    assert code[0] == code[1]


SENTENCES = st.one_of(
    st.sampled_from([ask for ask, _ in NEGATED] + [ask for ask, _ in LEFT_ALONE]),
    st.builds("{} the {}.".format, st.sampled_from(sorted(TASK_VERBS)), st.text("abc {", max_size=8)),
    st.text(max_size=30).map(lambda text: text.replace("{", "(")),
)


@given(st.lists(SENTENCES, max_size=4).map(" ".join))
def test_whatever_comes_there_is_one_negation_or_a_reason(ask: str) -> None:
    ask = ask.replace("{%", "(").replace("{#", "(")
    try:
        segments(ask)
    except InstructionError:
        return
    found = negate(ask)
    assert (found.source is None) == bool(found.reason)
    if found.source is not None:
        assert prose(found.source).lower().count("not") == prose(ask).lower().count("not") + 1
        assert negate(found.source).source != ask
