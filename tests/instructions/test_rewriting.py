"""What must survive a paraphrase, and what becomes of answers that lose it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.core import CutText, Example, Instruction
from phraseproof.instructions.rewriting import check, mark, why_not
from phraseproof.instructions.template import compile_instruction

SEED = Instruction(
    "s", "c", ask="Pick one of {{ choices | join(', ') }}, given {{ question }}.", layout="{{ question }}"
)
EXAMPLE = Example("e", {"question": "{{ why }}"}, ("a", "b"), (1.0, 0.0))


def labels(ask: str, answer: str = "{{ letter }}") -> tuple[str, ...]:
    return mark(Instruction("s", "c", ask=ask, layout="{{ question }}", answer=answer)).labels


def test_placeholders_become_marks() -> None:
    marked = mark(SEED)
    assert marked.text == "Pick one of [[1]], given [[2]]."
    assert marked.code == ("{{ choices | join(', ') }}", "{{ question }}")
    assert marked.must_keep == ("[[1]]", "[[2]]")


@pytest.mark.parametrize(
    ("ask", "kept"),
    [
        ("Say \"yes\" or \u201cno way\u201d, `maybe` or 'never'.", ("yes", "no way", "maybe", "never")),
        ("Don't say the dogs' names.", ()),
        ("Answer A, B or C.", ("A", "B", "C")),
        ("Write A/B.", ("A", "B")),
        ("A dog and I saw it.", ()),
        ("Type 1 for true and 2 for false.", ("1", "2")),
        ("Enter 1, 2 or 3.", ("1", "2", "3")),
        ("Exercise 4. Choose.", ()),
        ('Quote "{{ choices[0] }}".', ()),
    ],
)
def test_labels_are_found(ask: str, kept: tuple[str, ...]) -> None:
    assert labels(ask) == kept


def test_answers_that_the_ask_names_are_labels() -> None:
    answer = '{{ choice | verbalise({"entailment": "follows", "neutral": "may be"}) }}'
    assert labels("Say whether it follows or may be so.", answer) == ("follows", "may be")
    assert labels("Say what follows.", answer) == ("follows",)
    assert labels("Choose followers.", answer) == ()


@pytest.mark.parametrize(
    ("answer", "ask"),
    [
        ("Given [[2]], take [[1]].", "Given {{ question }}, take {{ choices | join(', ') }}."),
        ('"Take [[1]] for [[2]]"', "Take {{ choices | join(', ') }} for {{ question }}"),
        ("Sure! Here is a paraphrase:\n\nTake [[1]] for [[2]]", "Take {{ choices | join(', ') }} for {{ question }}"),
        (
            "  Take [[1]], a {{ x }} for [[2]] ",
            "Take {{ choices | join(', ') }}, a {{ \"{\" }}{ x }} for {{ question }}",
        ),
    ],
)
def test_good_answers_become_asks(answer: str, ask: str) -> None:
    assert check(answer, mark(SEED), SEED) == (ask, "")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "it is empty"),
        (" [[1]] [[2]]. ", "it is empty"),
        ("Take [[1]].", "the placeholder [[2]] is gone"),
        ("Take [[1]], [[1]], [[2]].", "the placeholder [[1]] is there 2 times"),
        ("Take [[1]] [[2]] [[3]].", "it invents the placeholder [[3]]"),
        ("Take [[1]] [[2]] [[0]].", "it invents the placeholder [[0]]"),
        ("Take [[1]].\n\nThen [[2]].", "it has several paragraphs"),
        ("Take [[1]] [[2]] " + "and so on " * 40, "it runs on"),
    ],
)
def test_bad_answers_have_a_reason(answer: str, reason: str) -> None:
    assert check(answer, mark(SEED), SEED) == (None, reason)


def test_quotation_marks_come_off_only_in_pairs() -> None:
    seed = Instruction("s", "c", ask='Say "yes" or "no".', layout="{{ question }}")
    for answer, ask in (
        ('"Answer "yes" or "no""', 'Answer "yes" or "no"'),
        ('"yes" or "no"', '"yes" or "no"'),
        ('\u201cAnswer "yes" or "no"\u201d', 'Answer "yes" or "no"'),
    ):
        assert check(answer, mark(seed), seed).ask == ask


def test_a_lost_label_has_a_reason() -> None:
    seed = Instruction("s", "c", ask='Say "yes" or "no".', layout="{{ question }}")
    assert check('Answer "yes" or "no".', mark(seed), seed).ask == 'Answer "yes" or "no".'
    assert check('Answer "yes", nothing else.', mark(seed), seed).reason == "the label 'no' is gone"


@pytest.mark.parametrize(
    ("wording", "reason"),
    [
        (Instruction("s", "c", template="{{ question }}"), "a template"),
        (Instruction("s", "c", ask="{% if question %}a{% endif %}"), "statements"),
        (Instruction("s", "c", ask="{{ question }}?"), "no words of its own"),
        (Instruction("s", "c", ask="Say [[1]]."), "marks like"),
    ],
)
def test_what_cannot_be_paraphrased(wording: Instruction, reason: str) -> None:
    assert reason in (why_not(wording) or "")
    assert why_not(SEED) is None


@given(st.text(max_size=40), st.text(max_size=40), st.booleans())
def test_whatever_a_model_says_the_ask_renders_and_shows_the_placeholders(one: str, other: str, swap: bool) -> None:
    marks = ("[[2]]", "[[1]]") if swap else ("[[1]]", "[[2]]")
    found = check(f"{one}{marks[0]} and {marks[1]}{other}", mark(SEED), SEED)
    assert (found.ask is None) == bool(found.reason)
    if found.ask is not None:
        text = compile_instruction(Instruction("s", "c", ask=found.ask)).render_ask(EXAMPLE)
        assert "a, b" in text
        assert "{{ why }}" in text


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (CutText("Given [[2]], take [[1]]."), "cut off at the maximum number of tokens"),
        ("Given [[2]], take [[1]].\ud800", r"it holds the character '\\ud800'"),
        ("Given [[2]],\x00 take [[1]].", r"it holds the character '\\x00'"),
        ("Given [[2]],\x1b[31m take [[1]].", r"it holds the character '\\x1b'"),
        ("Given [[2]],\x85 take [[1]].", r"it holds the character '\\x85'"),
    ],
)
def test_a_damaged_text_is_refused(answer: str, reason: str) -> None:
    checked = check(answer, mark(SEED), SEED)
    assert checked.ask is None
    assert reason.replace("\\\\", "\\") in checked.reason
