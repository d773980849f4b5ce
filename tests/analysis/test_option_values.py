"""From stored outcomes to arrays of values: compared with the stored rows one by one."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.special import log_softmax

from phraseproof.analysis.option_values import (
    NO_CLASS,
    OptionValues,
    load_option_values,
    log_shares,
    sample_notes,
    scores,
)
from phraseproof.core import Example, Instruction, Kind, Prompt, Task
from phraseproof.errors import NotEnoughDataError, RunError
from phraseproof.evaluation.prepare import prepare
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.models.scripted import ScriptedModel
from phraseproof.store.queries import Run, load_run
from phraseproof.store.schema import COLUMNS, with_metadata
from phraseproof.store.writer import RunStore
from support.ensemble_runs import skilled, write_ensemble_run

DEFAULT = EvaluationSpec()
LABELS = ("billing", "bug", "praise")


def by_hash(prompt: Prompt, option: str) -> float:
    return -5 * zlib.crc32(f"{prompt.text}|{option}".encode()) / 2**32


def run(out: Path, choices: Sequence[tuple[str, ...]], *answers: str, spec: EvaluationSpec = DEFAULT) -> Run:
    examples = tuple(
        Example(
            f"e{n}", {"question": f"number {n}?"}, of, tuple(float(place == n % len(of)) for place in range(len(of)))
        )
        for n, of in enumerate(choices)
    )
    wordings = [
        Instruction(id=f"w{n}", collection="c", template=f"Say {n}: {{{{ question }}}}", answer=answer)
        for n, answer in enumerate(answers)
    ]
    task = Task("t", Kind.MULTI_CLASS, "C", examples)
    return prepare(ScriptedModel(by_hash), [task], {"g": {"t": wordings}}, spec).run(out, self_test=False)


def only(found: Run) -> OptionValues:
    (values,) = load_option_values(found)
    return values


@pytest.mark.parametrize("scoring", ["loglikelihood", "loglikelihood_norm"])
def test_values_and_scores_are_those_of_the_stored_rows(tmp_path: Path, scoring: str) -> None:
    choices = [LABELS, LABELS[::-1], ("bug", "praise"), LABELS]
    found = run(tmp_path, choices, "{{ choice }}", "{{ letter }}", spec=EvaluationSpec(scoring=scoring))
    of = only(found)
    rows = found.query_rows("SELECT * FROM outcomes")
    assert len(rows) == of.values.shape[0] * of.values.shape[1] == 8
    scored = scores(of.values, of)
    for row in rows:
        w, e = of.wordings.index(row["instruction"]), of.examples.index(row["example_id"])
        options = row["options"]
        lengths = [len(text) if scoring == "loglikelihood_norm" else 1 for text in options]
        expected = [value / length for value, length in zip(row["option_logprobs"], lengths, strict=True)]
        assert of.values[w, e, : len(options)].tolist() == pytest.approx(expected)
        assert of.values[w, e, len(options) :].tolist() == [-math.inf] * (3 - len(options))
        assert of.logprobs[w, e, : len(options)] == pytest.approx(log_softmax(expected))
        assert scored[w, e] == row["score"]
        assert of.credits[e, : len(options)].tolist() == row["option_credits"]
        assert of.targets[e] == row["target"]
    assert of.chance == pytest.approx((1 / 3 + 1 / 3 + 1 / 2 + 1 / 3) / 4)


def test_texts_are_classes_where_a_wording_scores_the_same_ones_in_every_example(tmp_path: Path) -> None:
    of = only(run(tmp_path, [LABELS, LABELS[::-1]], "{{ choice }}", "{{ letter }}"))
    texts, letters = of.wordings.index("c/w0"), of.wordings.index("c/w1")
    assert of.class_names[texts] == LABELS
    assert of.classes[texts].tolist() == [[0, 1, 2], [2, 1, 0]]
    assert of.class_names[letters] == ("A", "B", "C")
    assert of.classes[letters].tolist() == [[0, 1, 2], [0, 1, 2]]
    assert of.by_position == (False, False)


def test_positions_are_classes_where_every_example_has_texts_of_its_own(tmp_path: Path) -> None:
    of = only(run(tmp_path, [("one", "two"), ("three", "four", "five")], "{{ choice }}"))
    assert of.by_position == (True,)
    assert of.class_names == (("option 1", "option 2", "option 3"),)
    assert of.classes[0].tolist() == [[0, 1, NO_CLASS], [0, 1, 2]]


def test_a_part_keeps_what_belongs_to_it(tmp_path: Path) -> None:
    of = only(run(tmp_path, [LABELS] * 5, "{{ choice }}", "{{ letter }}"))
    part = of.take([1]).take_examples([4, 0])
    assert part.examples == (of.examples[4], of.examples[0])
    assert np.array_equal(part.values, of.values[[1]][:, [4, 0]])
    assert part.class_names == (of.class_names[1],)


def test_an_example_without_any_probability_is_unread_and_its_options_are_equally_probable(tmp_path: Path) -> None:
    of = only(run(tmp_path, [LABELS] * 2, "{{ choice }}"))
    nothing = np.full_like(of.values, -np.inf)
    assert scores(nothing, of).tolist() == [[0.0, 0.0]]
    assert np.exp(log_shares(nothing, of.has_option)) == pytest.approx(1 / 3)


def test_runs_without_values_of_options_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="of its grid"):
        load_option_values(run(tmp_path / "budget", [LABELS] * 40, "{{ choice }}", "{{ letter }}",
                               spec=EvaluationSpec(budget=0.5)))  # fmt: skip
    free_text = run(tmp_path / "empty", [LABELS] * 2, "{{ choice }}")
    for cell in free_text.content["cells"]:
        cell["scoring"] = "generate"
    with pytest.raises(NotEnoughDataError, match="stores no log-probabilities"):
        load_option_values(Run(free_text.path, free_text.content))


def test_votes_are_the_chosen_options(tmp_path: Path) -> None:
    found = run(tmp_path, [LABELS, LABELS[::-1], ("bug", "praise")], "{{ choice }}", "{{ letter }}")
    (of,) = load_option_values(found, votes=True)
    for row in found.query_rows("SELECT * FROM outcomes"):
        values = of.values[of.wordings.index(row["instruction"]), of.examples.index(row["example_id"])].tolist()
        assert [place for place, value in enumerate(values) if value == 0.0] == [row["predicted"]]
        assert sum(value == -math.inf for value in values) == 2


def test_a_sample_is_the_same_examples_in_every_row(tmp_path: Path) -> None:
    path = write_ensemble_run(tmp_path, {"t": skilled(0, 4, 50), "small": skilled(1, 2, 10)})
    (whole, small), (some, small_too) = (load_option_values(load_run(path), most=most) for most in (None, 4 * 3 * 20))
    assert (len(some.examples), some.sampled_from, whole.sampled_from) == (20, 50, 0)
    assert set(some.examples) < set(whole.examples)
    expected = whole.take_examples([whole.examples.index(name) for name in some.examples])
    for name in ("values", "has_option", "credits", "classes"):
        assert np.array_equal(getattr(some, name), getattr(expected, name))
    assert np.array_equal(small.values, small_too.values)
    assert sample_notes("Causes", [some, small_too]) == (
        "Causes on t: from 20 of its 50 examples, drawn at random, because it has 4 wordings.",
    )


def test_a_sample_of_rows_with_different_examples(tmp_path: Path) -> None:
    """Rows whose examples are in another order, or lack some, keep the same ones."""
    path = write_ensemble_run(tmp_path, {"t": skilled(0, 3, 40)})
    store = RunStore(path, load_run(path).content["settings"])
    first, second, _ = load_run(path).cells
    tables = dict(load_run(path).read_cells(COLUMNS.names))
    shuffled = tables[first].take(list(range(39, -1, -1)))
    fewer = tables[second].slice(5)
    store.register([replace(second, num_examples=35)], {})
    for cell, table in ((first, shuffled), (replace(second, num_examples=35), fewer)):
        store.write_table(cell, with_metadata(table, cell.identity, "{}"))
    (whole,), (some,) = (load_option_values(load_run(path), most=most) for most in (None, 3 * 3 * 20))
    assert whole.left_out == 5
    assert some.sampled_from == 40
    assert len(some.examples) == 20 - some.left_out
    place = {name: number for number, name in enumerate(whole.examples)}
    assert np.array_equal(some.values, whole.take_examples([place[name] for name in some.examples]).values)
