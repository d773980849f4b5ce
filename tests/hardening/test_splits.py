from __future__ import annotations

from dataclasses import replace

import pytest

from phraseproof.errors import UsageError
from phraseproof.hardening.splits import (
    Shares,
    divide_examples,
    divide_in_three,
    split_wordings,
    split_wordings_in_three,
    wording_key,
)
from support.harden_data import make_task, make_wordings


def test_no_example_is_on_both_sides() -> None:
    divided = divide_examples(make_task(), 0.5, 0)
    train, test = ({e.id for e in part.examples} for part in divided)
    assert not train & test
    assert len(train) == len(test) == 6
    assert divide_examples(make_task(), 0.5, 1) != divided


def test_a_tasks_own_demonstrations_are_trained_on() -> None:
    shown = tuple(replace(each, fields={"question": f"lake {each.id}"}) for each in make_task("other", 3).examples)
    task = replace(make_task(), demonstrations=shown)
    divided = divide_examples(task, 0.5, 0)
    assert divided.training.examples == task.demonstrations
    assert divided.test.examples == task.examples


def test_equal_examples_are_on_one_of_two_sides() -> None:
    task = make_task(size=20)
    copies = tuple(replace(each, id=f"copy{each.id}") for each in task.examples)
    shown = tuple(replace(each, id=f"shown{each.id}") for each in task.examples[:3])
    for seed in range(5):
        sides = divide_examples(replace(task, examples=(*task.examples, *copies)), 0.5, seed)
        train, test = ({e.fields["question"] for e in part.examples} for part in sides)
        assert not train & test
        assert sum(len(part.examples) for part in sides) == 40
        # The first of two equal ones decides: without copies, the split is as it was before there was this rule.
        alone = divide_examples(task, 0.5, seed)
        assert [len(part.examples) for part in alone] == [10, 10]
    sides = divide_examples(replace(task, demonstrations=shown), 0.5, 0)
    assert [e.id for e in sides.training.examples] == ["shown0", "shown1", "shown2", "0", "1", "2"]
    assert [e.id for e in sides.test.examples] == [str(n) for n in range(3, 20)]
    same = tuple(replace(task.examples[0], id=str(n)) for n in range(8))
    with pytest.raises(UsageError, match=r"too few different examples .* equal ones on one side, got"):
        divide_examples(replace(task, examples=same), 0.5, 0)


def test_a_wording_is_on_one_side_for_all_tasks_whatever_it_is_called() -> None:
    wordings = make_wordings(10)
    renamed = tuple(replace(item, id=f"other-{item.id}", collection="yours") for item in wordings)
    alone, both = split_wordings({"a": wordings}, 0.5, 0), split_wordings({"a": wordings, "b": renamed}, 0.5, 0)
    assert alone == both
    assert len(both) == 5


@pytest.mark.parametrize("count", [2, 3])
def test_too_few_wordings(count: int) -> None:
    with pytest.raises(UsageError, match="too few wordings"):
        split_wordings({"a": make_wordings(count)}, 0.5, 0)


def test_too_few_examples() -> None:
    with pytest.raises(UsageError, match="too few examples"):
        divide_examples(make_task(size=3), 0.5, 0)


SHARES = Shares(0.4, 0.2, 0.4)


@pytest.mark.parametrize("demonstrations", [0, 5, 90])
def test_three_sets_of_examples_share_none(demonstrations: int) -> None:
    own = make_task(size=100)
    shown = tuple(
        replace(each, id=f"d{each.id}", fields={"question": f"lake {each.id}"})
        for each in make_task(size=demonstrations).examples
    )
    task = replace(own, demonstrations=shown)
    thirds = divide_in_three(task, SHARES, 0)
    sets = [{each.id for each in part.examples} for part in thirds]
    assert sum(map(len, sets)) == len(set.union(*sets)) == 100 + demonstrations
    assert {each.id for each in shown} <= sets[0]
    assert thirds.training.demonstrations == ()
    # Demonstrations fill training's share first; where they are more than it, the other two divide the examples.
    expected = {0: (40, 20, 40), 5: (42, 21, 42), 90: (90, 33, 67)}[demonstrations]
    assert tuple(map(len, sets)) == expected
    assert divide_in_three(task, SHARES, 1).test != thirds.test


def test_the_least_numbers_of_examples_are_kept() -> None:
    thirds = divide_in_three(make_task(size=33), Shares(0.8, 0.1, 0.1), 0)
    assert [len(part.examples) for part in thirds] == [3, 10, 20]
    with pytest.raises(UsageError, match=r"at least 2 to train on, 10 to choose by and 20 to measure on, got 31 ex"):
        divide_in_three(make_task(size=31), SHARES, 0)
    shown = make_task(size=31)
    with pytest.raises(UsageError, match="got 29 examples and 31 demonstrations, which can only be trained on"):
        divide_in_three(replace(make_task(size=29), demonstrations=shown.examples), SHARES, 0)


def test_three_sets_of_wordings_share_none_whatever_they_are_called() -> None:
    wordings = make_wordings(15)
    renamed = tuple(replace(item, id=f"other-{item.id}", collection="yours") for item in wordings)
    sides = split_wordings_in_three({"a": wordings, "b": renamed}, SHARES, 0)
    assert not sides.validation & sides.test
    assert (len(sides.validation), len(sides.test)) == (3, 6)
    assert sides.validation | sides.test < {wording_key(item) for item in wordings}
    assert len(split_wordings_in_three({"a": make_wordings(8)}, Shares(0.8, 0.1, 0.1), 0).test) == 4


def test_too_few_wordings_for_three_sets() -> None:
    with pytest.raises(UsageError, match=r"2 different ones to train on, 2 to choose by and 4 to measure on, got 7"):
        split_wordings_in_three({"a": make_wordings(7)}, SHARES, 0)


def test_equal_examples_are_in_one_of_three_sets() -> None:
    task = make_task(size=40)
    copies = tuple(replace(example, id=f"{example.id}-copy") for example in task.examples)
    thirds = divide_in_three(replace(task, examples=(*task.examples, *copies)), Shares(0.4, 0.2, 0.4), 0)
    asked = [{str(example.fields) for example in side.examples} for side in thirds]
    assert sum(map(len, asked)) == len(set().union(*asked)) == 40
    assert sum(len(side.examples) for side in thirds) == 80
