"""Lines of a samples file: options in answers and in contexts, right answers, and scores that options do not give."""

from __future__ import annotations

from typing import Any

import pytest

from phraseproof.errors import FileError
from phraseproof.logs.cells import LogRequest
from phraseproof.logs.lm_eval_samples import metrics_of, outcome_of, sample_of, settled


def _line(pairs: list[tuple[str, str]], values: list[float], target: object, **scores: float) -> Any:
    return {
        "doc_id": 7,
        "doc": {"key": "k7"},
        "target": target,
        "arguments": {f"gen_args_{n}": {"arg_0": a, "arg_1": b} for n, (a, b) in enumerate(pairs)},
        "resps": [[[str(value), "False"]] for value in values],
        "metrics": list(scores),
        **scores,
    }


def _read(line: Any, example: str | None = None) -> Any:
    return sample_of(line, "f:1", LogRequest(example=example))


def test_options_in_the_answer() -> None:
    sample = _read(_line([("Q", " yes"), ("Q", " no, never")], [-2.0, -5.0], 1, acc=0.0, acc_norm=1.0))
    assert (sample.example, sample.options, sample.target) == ("7", ("yes", "no, never"), (1,))
    assert metrics_of(sample) == ["acc", "acc_norm"]
    assert [outcome_of(sample, name, score).predicted for name, score in (("acc", 0.0), ("acc_norm", 1.0))] == [0, 1]


def test_numbers_as_options_are_read_as_in_other_lines() -> None:
    def read(target: str, *options: str) -> Any:
        return _read(_line([("Q", f" {option}") for option in options], [-1.0, -2.0, -3.0], target, acc=1.0))

    unclear = read("1", "0", "2", "1")
    assert unclear.target == settled([unclear])[0].target == ()
    assert [each.target for each in settled([unclear, read("2", "ant", "bee", "cat")])] == [(1,), (2,)]
    assert [each.target for each in settled([unclear, read("bee", "ant", "bee", "cat")])] == [(2,), (1,)]
    assert read("1", "2", "1", "0").target == (1,)


def test_options_in_the_context() -> None:
    pairs = [("The dog saw Ann because Ann", " ran"), ("The dog saw Ann because Bea", " ran")]
    assert _read(_line(pairs, [-2.0, -1.0], "1", acc=1.0)).options == ("Ann", "Bea")


def test_options_scored_again_without_the_question_are_left_out() -> None:
    pairs = [("Q", " a"), ("Q", " b"), ("", " a"), ("", " b")]
    sample = _read(_line(pairs, [-1.0, -2.0, -3.0, -0.5], "a", acc=1.0, acc_mutual_info=0.0))
    assert (sample.options, sample.logprobs) == (("a", "b"), (-1.0, -2.0))
    # The choice by mutual information does not follow from these values, so the score has no options.
    assert outcome_of(sample, "acc_mutual_info", 0.0).options == ()


def test_several_right_answers() -> None:
    outcome = outcome_of(
        _read(_line([("Q", " a"), ("Q", " b"), ("Q", " c")], [-3, -1, -2], [0, 1], acc=1.0)), "acc", 1.0
    )
    assert (outcome.option_credits, outcome.predicted, outcome.target) == ((1.0, 1.0, 0.0), 1, 0)


def test_a_score_that_the_options_contradict_is_kept_without_them() -> None:
    outcome = outcome_of(_read(_line([("Q", " a"), ("Q", " b")], [-1, -2], 0, acc=0.0)), "acc", 0.0)
    assert (outcome.score, outcome.options) == (0.0, ())


def test_generated_texts() -> None:
    line = _line([], [], ["yes", "yeah"], exact_match=1.0) | {
        "arguments": {"gen_args_0": {"arg_0": "Q", "arg_1": {"until": []}}},
        "resps": [["yes."]],
    }
    outcome = outcome_of(_read(line), "exact_match", 1.0)
    assert (outcome.text, outcome.references, outcome.options) == ("yes.", ("yes", "yeah"), ())


def test_the_example_is_a_number_or_a_field() -> None:
    line = _line([("Q", " a"), ("Q", " b")], [-1, -2], 0)
    assert _read(line, "key").example == "k7"
    with pytest.raises(FileError, match="expected name"):
        _read(line, "name")
