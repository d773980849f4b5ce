"""Scores that come in any order are listed in the prompts' order, and few are held at once."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.core import OptionScores, Prompt
from phraseproof.errors import ModelError
from phraseproof.models.score_list import ScoreList
from phraseproof.models.streamed_scores import OnScores, ScoreStream, collect_scores, require_options

PROMPTS = [Prompt(str(number), ("a",)) for number in range(6)]


def stream_of(order: Sequence[int], failing: int | None = None) -> ScoreStream:
    def stream(prompts: Sequence[Prompt], *, method: str, on_scores: OnScores) -> None:
        assert method == "m"
        for index in order:
            text = float(prompts[index].text)
            on_scores(index, ModelError("no") if index == failing else OptionScores((-text,), 1, 1))

    return stream


@given(st.permutations(range(6)))
def test_any_order_gives_the_prompts_order(order: list[int]) -> None:
    done: list[int] = []
    expected = [OptionScores((-float(number),), 1, 1) for number in range(6)]
    assert collect_scores(stream_of(order), PROMPTS, ScoreList(), method="m", on_done=done.append) == expected
    plain: list[OptionScores] = []
    assert collect_scores(stream_of(order), PROMPTS, plain, method="m") is plain
    assert plain == expected
    assert sum(done) == 6


def test_scores_are_listed_while_others_are_computed() -> None:
    found = ScoreList()
    lengths: list[int] = []
    collect_scores(
        stream_of([1, 0, 2, 5, 4, 3]), PROMPTS, found, method="m", on_done=lambda _: lengths.append(len(found))
    )
    assert lengths == [0, 2, 3, 3, 3, 6]


def test_a_prompt_that_fails_ends_the_call() -> None:
    with pytest.raises(ModelError, match="no"):
        collect_scores(stream_of([0, 1], failing=1), PROMPTS, ScoreList(), method="m")


def test_a_prompt_without_options_is_refused() -> None:
    require_options(PROMPTS)
    with pytest.raises(ModelError, match=r"without options cannot be scored .got '7'"):
        require_options([*PROMPTS, Prompt("7")])
