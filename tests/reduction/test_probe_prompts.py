"""Prompts that show a model's prior: what is taken out of an example, and what moves."""

from __future__ import annotations

from phraseproof.core import Example, Instruction, Kind, Task
from phraseproof.evaluation.prepare import prepare
from phraseproof.evaluation.run import Evaluation
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.models.scripted import ScriptedModel
from phraseproof.reduction.probe_prompts import options_of, permuted, without_content, without_example
from support.calibrated_runs import evaluation, labelled_task

QUIZ = Task(
    "quiz",
    Kind.MULTIPLE_CHOICE,
    "C",
    tuple(
        Example(
            f"q{n}",
            {"question": f"what is {n}?", "subject": "numbers"},
            (f"it is {n}", f"not {n}", f"{n + 1}"),
            (1.0, 0.0, 0.0),
        )
        for n in range(30)
    ),
)
LIST = 'About {{ subject }}: {{ question }}\n{{ choices | enumerate("{letter}. {choice}") }}\nAnswer:'


def quiz(answer: str = "{{ letter }}", template: str = LIST) -> Evaluation:
    wording = Instruction(id="w", collection="c", template=template, answer=answer)
    return prepare(ScriptedModel(), [QUIZ], {"g": {"quiz": [wording]}}, EvaluationSpec())


def test_content_is_replaced_and_what_all_examples_share_stays() -> None:
    found = without_content(quiz(), quiz().planned[0])
    assert [probe.prompt.text for probe in found] == [
        f"About numbers: {text}\nA. {text}\nB. {text}\nC. {text}\nAnswer:" for text in ("N/A", "[MASK]", "")
    ]
    assert options_of(found) == ("A", "B", "C")
    assert {probe.example for probe in found} == {""}


def test_choices_that_all_examples_share_stay() -> None:
    whole = evaluation(labelled_task())
    found = without_content(whole, whole.planned[0])
    assert [probe.prompt.text for probe in found] == ["Say 0: N/A", "Say 0: [MASK]", "Say 0: "]
    assert options_of(found) == ("billing", "bug", "praise")


def test_options_of_a_quiz_cannot_all_be_replaced_by_one_text() -> None:
    texts = quiz("{{ choice }}")
    assert without_content(texts, texts.planned[0]) == []


def test_a_premise_has_the_options_of_its_example_and_no_question() -> None:
    texts = quiz("{{ choice }}", "{{ question }}\nAnswer:")
    found = without_example(texts, texts.planned[0])
    assert {probe.prompt.text for probe in found} == {"\nAnswer:"}
    assert [probe.prompt.options for probe in found] == [example.choices for example in QUIZ.examples]
    assert [probe.example for probe in found] == [example.id for example in QUIZ.examples]


def test_choices_are_turned_and_their_letters_stay() -> None:
    found = permuted(quiz(), quiz().planned[0])
    assert len(found) == 3 * 10  # at least ten examples
    first = found[:3]
    assert len({probe.example for probe in first}) == 1
    assert options_of(found) == ("A", "B", "C")
    number = int(first[0].example.removeprefix("q"))
    contents = [f"it is {number}", f"not {number}", f"{number + 1}"]
    for turn, probe in enumerate(first):
        moved = contents[turn:] + contents[:turn]
        assert probe.prompt.text.splitlines()[1:4] == [
            f"{letter}. {text}" for letter, text in zip("ABC", moved, strict=True)
        ]


def test_texts_as_answers_move_with_the_choices_so_that_there_is_no_prior_of_letters() -> None:
    texts = quiz("{{ choice }}")
    assert permuted(texts, texts.planned[0]) == []
