from __future__ import annotations

from dataclasses import replace

import pytest

from phraseproof.errors import UsageError
from phraseproof.hardening.splits import divide_examples, split_wordings
from support.harden_data import make_task, make_wordings


def test_no_example_is_on_both_sides() -> None:
    divided = divide_examples(make_task(), 0.5, 0)
    train, test = ({e.id for e in part.examples} for part in divided)
    assert not train & test
    assert len(train) == len(test) == 6
    assert divide_examples(make_task(), 0.5, 1) != divided


def test_a_tasks_own_demonstrations_are_trained_on() -> None:
    task = replace(make_task(), demonstrations=make_task("other", 3).examples)
    divided = divide_examples(task, 0.5, 0)
    assert divided.training.examples == task.demonstrations
    assert divided.test.examples == task.examples


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
