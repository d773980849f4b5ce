from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.core import Example, Instruction, Kind, Task
from phraseproof.errors import UsageError
from phraseproof.harden import HardenSettings, divide_examples, harden, split_wordings
from phraseproof.instructions.collections import Collection
from support.tiny_models import tiny_llama, tiny_t5


def make_task(name: str = "parity", size: int = 12) -> Task:
    examples = tuple(
        Example(str(n), {"question": f"river {n}"}, ("yes", "no"), (1.0, 0.0) if n % 2 else (0.0, 1.0))
        for n in range(size)
    )
    return Task(name, Kind.BINARY, name, examples)


def make_wordings(count: int) -> tuple[Instruction, ...]:
    return tuple(
        Instruction(
            f"w{n}", "mine", ask=f"Question {n} of the teacher:", layout="{{ question }}", answer="{{ choice }}"
        )
        for n in range(count)
    )


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


@pytest.mark.slow
@pytest.mark.parametrize("family", ["t5", "llama"])
def test_the_loop_reports_only_on_what_training_never_saw(tmp_path: Path, family: str) -> None:
    folder = tiny_t5() if family == "t5" else tiny_llama()
    settings = HardenSettings(alignment=AlignmentSettings(max_steps=3, num_tokens=3), max_pairs=20)
    collection = Collection("mine", make_wordings(6))
    result = harden(str(folder), [make_task()], [collection], tmp_path, settings)
    assert len(result.trained) == len(result.held_out) == 3
    assert not set(result.trained) & set(result.held_out)
    assert result.references["parity"] in result.trained
    tested = {row["instruction"] for row in result.base.outcomes().to_pylist()}
    assert tested == set(result.held_out)
    trained_examples = {row["example_id"] for row in load(tmp_path / "reference")}
    tested_examples = {row["example_id"] for row in result.base.outcomes().to_pylist()}
    assert not trained_examples & tested_examples
    assert result.gain.n == 3 * 6
    assert result.gain.estimate == pytest.approx(result.after - result.before)
    assert result.base.settings["model"]["adapter"] is None
    assert result.hardened.settings["model"]["adapter"] is not None
    # The same call again finds everything done.
    again = harden(str(folder), [make_task()], [collection], tmp_path, settings)
    assert again.gain == result.gain


def load(path: Path) -> list[dict[str, str]]:
    from phraseproof.store.queries import load_run

    return load_run(path).outcomes().to_pylist()
