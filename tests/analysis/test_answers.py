"""From stored outcomes to confusion matrices: what a class is, and what blind and constant answers score."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.metrics import confusion_matrix

from phraseproof.analysis.answers import TaskAnswers, load_answers
from phraseproof.analysis.classification import accuracy, constant_wordings
from phraseproof.core import Example, Instruction, Kind, Prompt, Task
from phraseproof.errors import NotEnoughDataError
from phraseproof.evaluation.prepare import prepare
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.models.scripted import ScriptedModel
from phraseproof.store.queries import Run, load_run
from support.command_line import exit_code

LABELS = ("billing", "bug", "praise")


def by_hash(prompt: Prompt, option: str) -> float:
    """An answer that is a function of prompt and option, and of nothing else."""
    return zlib.crc32(f"{prompt.text}|{option}".encode()) / 2**32


def task(choices: list[tuple[str, ...]], right: list[int], name: str = "t", kind: Kind = Kind.MULTI_CLASS) -> Task:
    examples = [
        Example(f"e{n}", {"question": f"number {n}?"}, of, tuple(float(place == best) for place in range(len(of))))
        for n, (of, best) in enumerate(zip(choices, right, strict=True))
    ]
    return Task(name, kind, "C", tuple(examples))


def wordings(*answers: str) -> dict[str, list[Instruction]]:
    return {
        "g": [
            Instruction(id=f"w{n}", collection="c", template=f"Say {n}: {{{{ question }}}}", answer=answer)
            for n, answer in enumerate(answers)
        ]
    }


def run(
    out: Path, given: Task, *answers: str, model: Callable[[Prompt, str], float] = by_hash, budget: float | None = None
) -> Run:
    settings = EvaluationSpec(budget=budget)
    of = {group: {given.name: found} for group, found in wordings(*answers).items()}
    return prepare(ScriptedModel(model), [given], of, settings).run(out, self_test=False)


def only(found: Run) -> TaskAnswers:
    (answers,) = load_answers(found)
    return answers


def stored(found: Run) -> list[tuple[list[str], list[str]]]:
    """By wording, the texts that are right and that were chosen, from the rows themselves."""
    rows: dict[str, list[tuple[str, str]]] = {}
    for row in found.outcomes().to_pylist():
        pair = (row["options"][row["target"]], row["options"][row["predicted"]])
        rows.setdefault(row["instruction"], []).append(pair)
    return [([one for one, _ in pairs], [other for _, other in pairs]) for pairs in rows.values()]


def test_shared_labels_are_classes(tmp_path: Path):
    draw = np.random.default_rng(0)
    given = task([LABELS] * 60, draw.choice(3, 60, p=[0.6, 0.3, 0.1]).tolist())
    found = run(tmp_path, given, "{{ choice }}", "{{ choice }}")
    answers = only(found)
    assert (answers.classes, answers.by_position, answers.wordings) == (LABELS, False, ("c/w0", "c/w1"))
    for matrix, (right, chosen) in zip(answers.confusion, stored(found), strict=True):
        np.testing.assert_array_equal(matrix, confusion_matrix(right, chosen, labels=list(LABELS)))
    scores = {row.instruction: row.mean_score for row in found.wording_scores()}
    np.testing.assert_allclose(accuracy(answers.confusion), list(scores.values()))
    right = [example.choices[example.target] for example in given.examples]
    dummy = DummyClassifier(strategy="most_frequent").fit(right, right)
    assert answers.majority == pytest.approx(dummy.score(right, right))
    assert answers.classes[answers.majority_class] == "billing"
    assert answers.chance == pytest.approx(1 / 3)


def test_labels_whose_order_differs_between_examples_are_classes_by_text(tmp_path: Path):
    """One wording scores texts, another letters: the same classes for both."""
    choices: list[tuple[str, ...]] = [LABELS if n % 2 else LABELS[::-1] for n in range(40)]
    given = task(choices, [n % 3 for n in range(40)])
    found = run(tmp_path, given, "{{ choice }}", "{{ letter }}")
    answers = only(found)
    assert sorted(answers.classes) == sorted(LABELS)
    assert not answers.by_position
    texts = {(row["instruction"], row["example_id"]): row for row in found.outcomes().to_pylist()}
    for row, wording in enumerate(answers.wordings):
        pairs = [
            (
                example.choices[texts[wording, example.id]["target"]],
                example.choices[texts[wording, example.id]["predicted"]],
            )
            for example in given.examples
        ]
        wanted = confusion_matrix(*map(list, zip(*pairs, strict=True)), labels=list(answers.classes))
        np.testing.assert_array_equal(answers.confusion[row], wanted)


def test_a_class_has_the_name_of_its_text_and_not_of_the_letter_of_the_first_wording(tmp_path: Path):
    given = task([LABELS] * 20, [n % 3 for n in range(20)])
    both = only(run(tmp_path / "both", given, "{{ letter }}", "{{ choice }}"))
    assert both.classes == LABELS
    letters = only(run(tmp_path / "letters", given, "{{ letter }}", "{{ index }}"))
    assert letters.classes == ("A/0", "B/1", "C/2")
    words = only(run(tmp_path / "words", given, "{{ choice }}", "a {{ choice }}", "the {{ choice }}", "{{ letter }}"))
    assert words.classes == ("billing/a billing/...", "bug/a bug/...", "praise/a praise/...")
    assert not words.by_position


def test_texts_of_their_own_are_classes_by_position(tmp_path: Path):
    """Examples with 2 to 4 options."""
    choices = [tuple(f"{n}-{place}" for place in range(2 + n % 3)) for n in range(30)]
    found = run(
        tmp_path, task(choices, [n % 2 for n in range(30)], kind=Kind.MULTIPLE_CHOICE), "{{ choice }}", "{{ letter }}"
    )
    answers = only(found)
    assert answers.by_position
    assert answers.classes == ("option 1", "option 2", "option 3", "option 4")
    assert answers.confusion.shape == (2, 4, 4)
    assert answers.confusion.sum() == 60
    assert answers.confusion[:, 2:].sum() == 0, "no third option is right"
    assert answers.chance == pytest.approx(np.mean([1 / len(of) for of in choices]))
    assert answers.majority == pytest.approx(0.5)


def test_several_right_options_count_as_right_whichever_is_chosen(tmp_path: Path):
    given_credit = [(1.0, 1.0, 0.0), (0.0, 1.0, 1.0), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0)] * 10
    examples = [Example(f"e{n}", {"question": f"number {n}?"}, LABELS, of) for n, of in enumerate(given_credit)]
    given = Task("t", Kind.MULTI_CLASS, "C", tuple(examples))
    found = run(tmp_path, given, "{{ choice }}")
    answers = only(found)
    (score,) = (row.mean_score for row in found.wording_scores())
    assert accuracy(answers.confusion)[0] == pytest.approx(score)
    assert answers.chance == pytest.approx(np.mean(given_credit))
    assert answers.majority == pytest.approx(np.mean(given_credit, axis=0).max())


def test_a_model_that_always_says_the_same_is_seen(tmp_path: Path):
    given = task([LABELS] * 40, [0] * 24 + [1] * 16)
    always = run(tmp_path, given, "{{ choice }}", model=lambda prompt, option: float(option == "billing"))
    answers = only(always)
    (constant,) = constant_wordings(answers)
    assert (constant.answer, constant.share) == ("billing", 1.0)
    assert accuracy(answers.confusion)[0] == answers.majority == 0.6


def test_a_budget_counts_what_was_scored(tmp_path: Path):
    given = task([LABELS] * 40, [n % 3 for n in range(40)])
    answers = only(run(tmp_path, given, "{{ choice }}", "{{ choice }}", budget=0.25))
    assert answers.confusion.sum(axis=(1, 2)).tolist() == [10, 10]
    assert answers.chance == pytest.approx(1 / 3)


def test_letters_without_their_texts_are_classes_by_position(tmp_path: Path):
    """Under a budget, an example may be met under letters alone; behind a letter stands a text that is not stored."""
    choices: list[tuple[str, ...]] = [LABELS if n % 2 else LABELS[::-1] for n in range(40)]
    answers = only(run(tmp_path, task(choices, [0] * 40), "{{ choice }}", "{{ letter }}", budget=0.2))
    assert answers.by_position
    assert answers.confusion.sum() == 16


def test_an_imported_run_has_no_answers(tmp_path: Path):
    published = tmp_path / "published.csv"
    head = "Model,Dataset,Collection,Type,ID,Shots,Performance,Metric,Include?"
    published.write_text(f"{head}\nm,d,c,QA,1,0,0.5,Accuracy,True\nm,d,c,QA,2,0,0.6,Accuracy,True\n")
    assert exit_code("import-results", str(published), "--out", str(tmp_path / "run")) == 0
    with pytest.raises(NotEnoughDataError, match="import"):
        load_answers(load_run(tmp_path / "run"))
