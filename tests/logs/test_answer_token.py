"""The token that is the answer, in what programs keep of a server's answer."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from phraseproof.core import Outcome
from phraseproof.logs.answer_token import answer_scores, with_scores


def written(*tokens: str, listed: Sequence[tuple[str, float]] = (("A", 0.5), (" B", 0.25), ("B", 0.125))) -> object:
    top = [{"token": token, "logprob": math.log(share), "bytes": None} for token, share in listed]
    return {"content": [{"token": token, "logprob": -1.0, "top_logprobs": top} for token in tokens]}


@pytest.mark.parametrize("tokens", [("A",), (" B", "."), ("ANS", "WER", ":", " A"), ("\n", "answer: ", "B")])
def test_spellings_are_added_and_the_rest_bounds_them(tokens: tuple[str, ...]) -> None:
    found = answer_scores({"logprobs": written(*tokens)}, ("A", "B", "C"), 3)
    assert found is not None
    # 0.125 is left, and no unlisted token has more than the least of the list.
    assert [math.exp(value) for value in found.logprobs] == pytest.approx([0.5, 0.375, 0.0])
    assert [math.exp(value) for value in found.upper_logprobs] == pytest.approx([0.625, 0.375, 0.125])
    scored = with_scores(Outcome("1", 1.0, ("yes", "no", "why"), predicted=0, target=0), found)
    assert (scored.predicted, scored.is_open, scored.option_logprobs) == (0, False, found.logprobs)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"logprobs": None},
        {"logprobs": written("The", " answer", " is", " A")},  # a sentence before it
        {"logprobs": written(*"1234567", "A")},
        {"logprobs": {"content": [{"token": "A", "logprob": -1.0}]}},  # nothing is listed
        {"logprobs": {"content": [{"token": 1}]}},
        {"logprobs": written("A", listed=[("A", 0.9), ("B", 0.9)])},  # cannot be
    ],
)
def test_without_a_list_at_the_answer_there_is_nothing(answer: dict[str, object]) -> None:
    assert answer_scores(answer, ("A", "B"), 5) is None
