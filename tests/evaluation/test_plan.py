from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.core import Example, Instruction, Kind, ModelIdentity, Task
from phraseproof.errors import UsageError
from phraseproof.evaluation.plan import (
    CellIdentities,
    PlannedCell,
    bundle_size,
    classes_of,
    plan_cells,
    sample_task,
    wording_text,
)
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.instructions.template import compile_instruction

MODEL = ModelIdentity("m", "1", "Fake")


def make_task(size: int = 5, name: str = "t") -> Task:
    examples = tuple(Example(str(n), {"question": f"Is {n} even?"}, ("yes", "no"), (1.0, 0.0)) for n in range(size))
    return Task(name, Kind.BINARY, "c", examples)


def make_wording(**changes: Any) -> Instruction:
    return replace(Instruction(id="one", collection="mine", template="{{ question }}"), **changes)


def plan(tasks: list[Task], groups: Any, settings: EvaluationSpec, model: ModelIdentity = MODEL) -> list[PlannedCell]:
    return plan_cells(tasks, groups, settings, CellIdentities(model, settings.prompt_format))


def identity_of(
    task: Task | None = None,
    wording: Instruction | None = None,
    settings: EvaluationSpec | None = None,
    model: ModelIdentity = MODEL,
) -> str:
    task = task or make_task()
    compiled = compile_instruction(wording or make_wording())
    (planned,) = plan([task], {task.name: {"g": [compiled]}}, settings or EvaluationSpec(), model)
    return planned.cell.identity


def test_the_grid_is_task_by_shots_by_seed_by_group_by_wording() -> None:
    tasks = [make_task(3, "a"), make_task(4, "b")]
    wordings = [compile_instruction(make_wording(id=str(n))) for n in range(2)]
    groups = {task.name: {"g": wordings, "h": wordings[:1]} for task in tasks}
    planned = plan(tasks, groups, EvaluationSpec(num_fewshot=(0, 2), fewshot_seeds=(7, 8)))
    shapes = [(each.cell.task, each.cell.num_fewshot, each.cell.fewshot_seed, each.cell.group) for each in planned]
    # Without demonstrations there is nothing to draw: one seed. With two: both.
    assert len(planned) == 2 * (1 + 2) * 3
    assert ("a", 0, 0, "h") in shapes
    assert ("b", 2, 8, "g") in shapes
    assert [each.cell.num_examples for each in planned if each.cell.task == "a"] == [3] * 9


def test_equal_things_have_equal_identities() -> None:
    assert identity_of() == identity_of()


@pytest.mark.parametrize(
    "changed",
    [
        {"wording": make_wording(template="{{ question }} ")},
        {"wording": make_wording(answer="{{ choice }}")},
        {"wording": make_wording(target_delimiter="")},
        {"wording": make_wording(fewshot_delimiter="")},
        {"wording": make_wording(continuation="so")},
        {"task": make_task(6)},
        {"task": replace(make_task(), kind=Kind.MULTIPLE_CHOICE)},
        {"model": replace(MODEL, revision="2")},
        {"model": replace(MODEL, adapter="abc")},
        {"model": replace(MODEL, dtype="bfloat16")},
        {"model": replace(MODEL, settings={"max_length": "9"})},
        {"settings": EvaluationSpec(scoring="paper")},
        {"settings": EvaluationSpec(prompt_format="alpaca")},
        {"settings": EvaluationSpec(num_fewshot=(1,))},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_whatever_can_change_the_numbers_changes_the_identity(changed: dict[str, Any]) -> None:
    assert identity_of(**changed) != identity_of()


@pytest.mark.parametrize("changed", [{"id": "two"}, {"author": "somebody"}, {"origin": "file.yaml:3"}, {"source": "x"}])
def test_names_and_provenance_do_not(changed: dict[str, Any]) -> None:
    assert identity_of(wording=make_wording(**changed)) == identity_of()


def test_demonstrations_count_only_when_they_are_used() -> None:
    with_pool = replace(make_task(), demonstrations=make_task(3).examples)
    assert identity_of(task=with_pool) == identity_of()
    shots = EvaluationSpec(num_fewshot=(2,))
    assert identity_of(task=with_pool, settings=shots) != identity_of(settings=shots)
    assert identity_of(settings=shots) != identity_of(settings=shots.with_changes(fewshot_seeds=(1,)))


def test_one_wording_twice_in_a_group_is_refused() -> None:
    compiled = compile_instruction(make_wording())
    with pytest.raises(UsageError, match="twice"):
        plan([make_task()], {"t": {"g": [compiled, compiled]}}, EvaluationSpec())


@given(size=st.integers(1, 40), small=st.integers(1, 40), more=st.integers(0, 40), seed=st.integers())
def test_a_smaller_sample_is_part_of_a_larger_one(size: int, small: int, more: int, seed: int) -> None:
    task = make_task(size)
    few, many = sample_task(task, small, seed), sample_task(task, small + more, seed)
    assert len(few.examples) == min(small, size)
    assert {e.id for e in few.examples} <= {e.id for e in many.examples}
    assert [int(e.id) for e in many.examples] == sorted(int(e.id) for e in many.examples)


def test_another_seed_draws_another_sample_and_demonstrations_come_from_all_examples() -> None:
    task = make_task(1000)
    samples = {tuple(e.id for e in sample_task(task, 10, seed).examples) for seed in range(5)}
    assert len(samples) == 5
    assert sample_task(task, 10, 0).demonstrations == task.examples


@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=12), limit=st.integers(1, 20))
def test_a_bundle_is_as_large_as_it_may_be(sizes: list[int], limit: int) -> None:
    planned: list[PlannedCell] = []
    for n, size in enumerate(sizes):
        task = make_task(size, f"t{n // 3}")
        compiled = compile_instruction(make_wording())
        planned += plan([task], {task.name: {"g": [compiled]}}, EvaluationSpec())
    count = bundle_size(planned, limit)
    together = planned[:count]
    assert count >= 1
    assert len({each.cell.task for each in together}) == 1
    assert count == 1 or sum(sizes[:count]) <= limit
    if count < len(planned) and planned[count].cell.task == planned[0].cell.task:
        assert sum(sizes[: count + 1]) > limit


@pytest.mark.parametrize(
    "wrong", [{"limit": 0}, {"num_fewshot": ()}, {"num_fewshot": (-1,)}, {"fewshot_seeds": (1, 1)}]
)
def test_settings_that_make_no_sense(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        EvaluationSpec(**wrong)


def test_a_wordings_text() -> None:
    parts = make_wording(template=None, ask="Say it.", layout="{{ question }}")
    assert wording_text(parts) == "Say it.\n\n{{ question }}"
    assert wording_text(replace(parts, ask_last=True, separator=" ")) == "{{ question }} Say it."
    assert wording_text(make_wording()) == "{{ question }}"


def labelled(sizes: dict[str, int]) -> Task:
    names = tuple(sizes)
    labels = [index for index, size in enumerate(sizes.values()) for _ in range(size)]
    examples = tuple(
        Example(str(n), {"question": str(n)}, names, tuple(float(index == label) for index in range(len(names))))
        for n, label in enumerate(labels)
    )
    return Task("labelled", Kind.MULTI_CLASS, "c", examples)


@given(
    st.lists(st.integers(1, 60), min_size=2, max_size=4),
    st.integers(1, 100),
    st.integers(0, 50),
    st.integers(0, 5),
)
def test_a_stratified_sample_holds_each_class_in_proportion(sizes: list[int], limit: int, more: int, seed: int) -> None:
    task = labelled({f"class {index}": size for index, size in enumerate(sizes)})
    sample = sample_task(task, limit, seed, is_stratified=True)
    total = len(task.examples)
    assert len(sample.examples) == min(limit, total)
    for index, size in enumerate(sizes):
        held = sum(example.target == index for example in sample.examples)
        assert abs(held - len(sample.examples) * size / total) <= len(sizes) / 2 + 0.5
    larger = sample_task(task, limit + more, seed, is_stratified=True)
    assert {e.id for e in sample.examples} <= {e.id for e in larger.examples}
    assert [int(e.id) for e in sample.examples] == sorted(int(e.id) for e in sample.examples)


def test_within_a_class_the_draw_is_that_of_the_seed() -> None:
    task = labelled({"a": 30, "b": 30})
    samples = {tuple(e.id for e in sample_task(task, 20, seed, is_stratified=True).examples) for seed in range(6)}
    assert len(samples) == 6


def test_a_quiz_has_no_classes() -> None:
    quiz = replace(
        labelled({"a": 2, "b": 1}),
        examples=tuple(
            replace(example, choices=(f"yes {example.id}", f"no {example.id}"))
            for example in labelled({"a": 2, "b": 1}).examples
        ),
    )
    assert classes_of(quiz) is None
    assert sample_task(quiz, 2, 0, is_stratified=True) == sample_task(quiz, 2, 0)
    assert classes_of(labelled({"a": 2, "b": 1})) == ("a", "a", "b")


def test_options_in_another_order_are_the_same_classes() -> None:
    """Each class in proportion, where the place of the right answer says nothing of the class."""
    task = labelled({"common": 45, "rare": 15})
    shuffled = replace(
        task,
        examples=tuple(
            replace(each, choices=each.choices[::-1], option_scores=each.option_scores[::-1])
            if int(each.id) % 2
            else each
            for each in task.examples
        ),
    )
    right = ("common",) * 45 + ("rare",) * 15
    assert classes_of(shuffled) == right
    for seed in range(5):
        sample = sample_task(shuffled, 20, seed, is_stratified=True)
        assert Counter(right[int(each.id)] for each in sample.examples) == {"common": 15, "rare": 5}
        # Only the classes count, not the order of the options.
        assert [each.id for each in sample.examples] == [
            each.id for each in sample_task(task, 20, seed, is_stratified=True).examples
        ]


def test_draws_are_the_seeds_from_the_first_and_have_their_identities() -> None:
    groups = {"t": {"g": [compile_instruction(make_wording())]}}
    counted = plan([make_task()], groups, EvaluationSpec(num_fewshot=(0, 1), fewshot_seeds=(3,), fewshot_draws=4))
    listed = plan([make_task()], groups, EvaluationSpec(num_fewshot=(0, 1), fewshot_seeds=(3, 4, 5, 6)))
    assert [each.cell for each in counted] == [each.cell for each in listed]
    assert [each.cell.fewshot_seed for each in counted] == [0, 3, 4, 5, 6]
    with pytest.raises(UsageError, match="counted from one seed"):
        EvaluationSpec(fewshot_seeds=(0, 1), fewshot_draws=2)
