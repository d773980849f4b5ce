"""Other orders of options: the same scores as a task file whose options were permuted by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

import phraseproof
from phraseproof.core import Example, Instruction, Kind, Prompt, Task
from phraseproof.errors import UsageError
from phraseproof.instructions.option_order import (
    in_order,
    in_own_order,
    lists_options,
    number_of_orders,
    option_permutation,
)
from phraseproof.instructions.template import compile_instruction
from phraseproof.models.scripted import ScriptedModel
from phraseproof.store.queries import Run

CHOICES = [("red", "green", "blue"), ("one", "two", "three"), ("cat", "dog", "cow"), ("rye", "oat", "fig")]
TASK = Task(
    "quiz",
    Kind.MULTIPLE_CHOICE,
    "quiz",
    tuple(
        Example(f"q{n}", {"question": f"Question {n}?"}, choices, tuple(float(place == n % 3) for place in range(3)))
        for n, choices in enumerate(CHOICES)
    ),
)
LISTED = "{% for choice in choices %}{{ letters[loop.index0] }}. {{ choice }}\n{% endfor %}"
WORDINGS = [
    {"id": "letters", "template": "{{ question }}\n" + LISTED, "answer": "letter"},
    {"id": "texts", "template": "Choose: {{ question }}\n" + LISTED, "answer": "text"},
    {"id": "unlisted", "template": "{{ question }}", "answer": "text"},
]


def evaluate(folder: Path, task: Task, **options: Any) -> Run:
    folder.mkdir(exist_ok=True)
    (folder / "w.yaml").write_text(json.dumps({"name": "w", "instructions": WORDINGS}))  # JSON is YAML
    wordings = {"mine": folder / "w.yaml"}
    return phraseproof.evaluate("scripted", task, wordings, folder / "run", self_test=False, **options)


def rows_of(run: Run, order: int) -> dict[tuple[str, str], dict[str, Any]]:
    found = run.query_rows(
        "SELECT instruction, example_id, options, option_logprobs, predicted, target, score, option_order FROM outcomes"
    )
    return {(row["instruction"], row["example_id"]): row for row in found if row["option_order"] == order}


@pytest.mark.parametrize("shots", [0, 2])
def test_an_order_scores_as_a_task_whose_options_were_permuted_by_hand(tmp_path: Path, shots: int) -> None:
    ordered = evaluate(tmp_path / "ordered", TASK, num_fewshot=shots, option_orders=3)
    own = rows_of(ordered, 0)
    assert own == rows_of(evaluate(tmp_path / "own", TASK, num_fewshot=shots), 0)
    for order in (1, 2):
        shown = option_permutation(order, 3)
        by_hand = Task(
            TASK.name,
            TASK.kind,
            TASK.category,
            tuple(
                Example(
                    each.id,
                    each.fields,
                    (each.choices[shown[0]], each.choices[shown[1]], each.choices[shown[2]]),
                    (each.option_scores[shown[0]], each.option_scores[shown[1]], each.option_scores[shown[2]]),
                )
                for each in TASK.examples
            ),
        )
        expected = rows_of(evaluate(tmp_path / f"hand{order}", by_hand, num_fewshot=shots), 0)
        found = rows_of(ordered, order)
        # A wording that does not list the options has the task's own order only.
        assert {wording for wording, _ in found} == {"w/letters", "w/texts"}
        for key, row in found.items():
            for name in ("options", "option_logprobs"):
                by_place = dict(zip(shown, expected[key][name], strict=True))
                moved = [by_place[place] for place in range(3)]
                # The scripted model divides by a sum, whose last digit depends on the order of its terms.
                assert row[name] == (moved if name == "options" else pytest.approx(moved))
            assert row["predicted"] == shown[expected[key]["predicted"]]
            assert row["target"] == own[key]["target"] == shown[expected[key]["target"]]
            assert row["score"] == expected[key]["score"]
        # Letters stay in place: the choice that is shown first is answered with A.
        letters = found["w/letters", "q0"]["options"]
        assert letters[shown[0]] == "A"
        assert found["w/texts", "q0"]["options"] == list(CHOICES[0])


def test_a_written_letter_means_the_option_that_is_shown_at_it(tmp_path: Path) -> None:
    (tmp_path / "w.yaml").write_text(json.dumps({"name": "w", "instructions": WORDINGS[:2]}))
    model = ScriptedModel(write=lambda prompt, _: "B" if prompt.options[0] in "ABC" else prompt.options[2], writes="b")
    run = phraseproof.evaluate(
        model,
        TASK,
        {"mine": tmp_path / "w.yaml"},
        tmp_path / "run",
        scoring="generate",
        option_orders=6,
        self_test=False,
    )
    for order in range(6):
        for (wording, _), row in rows_of(run, order).items():
            # The second letter is the option that is shown second; a text is the same option in every order.
            assert row["predicted"] == (option_permutation(order, 3)[1] if wording == "w/letters" else 2)
            assert row["score"] == float(row["predicted"] == row["target"])


def test_more_orders_keep_what_is_stored(tmp_path: Path) -> None:
    first = evaluate(tmp_path, TASK, option_orders=2)
    again = evaluate(tmp_path, TASK, option_orders=4)
    assert {cell.identity for cell in first.cells} < {cell.identity for cell in again.cells}
    assert {cell.identity for cell in evaluate(tmp_path / "own", TASK).cells} < {cell.identity for cell in first.cells}


def test_permutations_are_each_once_and_begin_with_the_own_order() -> None:
    for count in (1, 2, 3, 4):
        every = [option_permutation(order, count) for order in range(math.factorial(count))]
        assert every[0] == tuple(range(count))
        assert len(set(every)) == math.factorial(count)
    assert sorted(option_permutation(3, 20)) == list(range(20))
    assert option_permutation(2, 2) == option_permutation(0, 2)


def test_an_example_there_and_its_prompt_back() -> None:
    example = Example("q", {}, ("a", "b", "c", "d"), (0.0, 0.0, 1.0, 0.0))
    for order in range(24):
        moved = in_order(example, order)
        assert moved.choices[moved.target] == "c"
        assert in_own_order(Prompt("", moved.choices), order).options == example.choices


def test_tasks_have_as_many_orders_as_options_allow() -> None:
    pair = Example("p", {}, ("yes", "no"), (1.0, 0.0))
    assert number_of_orders(TASK.examples, 4) == 4
    assert number_of_orders((*TASK.examples, pair), 4) == 2
    assert number_of_orders((Example("f", {}, reference="text"),), 4) == 1


@pytest.mark.parametrize(
    ("template", "answer", "expected"),
    [
        ("{{ question }} " + LISTED, "{{ letter }}", True),
        ("{{ question }} {{ choices | join(' or ') }}?", "{{ choice }}", True),
        ("{{ question }} A. yes B. no", "{{ letter }}", False),
        ("{{ question }} yes or no?", "{{ choice }}", False),
        # Fixed words for the first and the second option, which the prompt does not name.
        ("{{ question }} {{ choices | join(' or ') }}?", "{{ ['good', 'bad'][index] }}", False),
        ("{{ question }} good: {{ choices[0] }}, bad: {{ choices[1] }}", "{{ ['good', 'bad'][index] }}", True),
    ],
)
def test_which_wordings_list_their_options(template: str, answer: str, expected: bool) -> None:
    examples = [Example("q", {"question": "Is it?"}, ("yes", "no"), (1.0, 0.0))]
    wording = compile_instruction(Instruction("w", "c", template=template, answer=answer))
    assert lists_options(wording, examples) is expected


def test_a_prompt_per_option_lists_none() -> None:
    examples = [Example("q", {"question": "Is it?"}, ("yes", "no"), (1.0, 0.0))]
    wording = Instruction("w", "c", template="{{ question }} {{ choice }}", continuation="so")
    assert not lists_options(compile_instruction(wording), examples)


def test_a_budget_with_orders_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="orders of options"):
        evaluate(tmp_path, TASK, option_orders=2, budget="50%")
