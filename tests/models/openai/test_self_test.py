from __future__ import annotations

from collections.abc import Callable, Sequence

from phraseproof.core import OptionScores, Prompt
from phraseproof.errors import ModelError
from phraseproof.models.openai.self_test import self_test

PROMPTS = [Prompt(f"Say {word}", ("moon", "star")) for word in "abcdef"]


class Scores:
    """Hands over prepared log-probabilities, another list for every call; `None` is an error."""

    def __init__(self, *calls: Sequence[float | None]) -> None:
        self.calls = list(calls)

    def stream_scores(
        self, prompts: Sequence[Prompt], *, on_scores: Callable[[int, OptionScores | ModelError], None]
    ) -> None:
        for index, value in enumerate(self.calls.pop(0)[: len(prompts)]):
            good = None if value is None else OptionScores((value, value - 1), 3, 9, option_tokens=(2, 2))
            on_scores(index, good or ModelError("no"))


def test_equal_scores_pass() -> None:
    checks = self_test(Scores([-1, -2, -3], [-1, -2.1, -3]), PROMPTS)
    assert [check.passed for check in checks] == [True, True]
    assert checks[1].detail == "largest difference 5.0e-02 nats per token"
    assert self_test(Scores(), []) == []


def test_other_scores_when_asked_again_fail() -> None:
    checks = self_test(Scores([-1, -2, -3], [-1, -3, -3]), PROMPTS)
    assert [check.passed for check in checks] == [True, False]


def test_one_unusable_answer_is_left_to_the_run_and_only_unusable_ones_fail() -> None:
    checks = self_test(Scores([-1, None, -3], [-1, -3]), PROMPTS)
    assert [check.passed for check in checks] == [True, True]
    assert "2 of 3 prompts" in checks[0].detail
    (check,) = self_test(Scores([None, None, None]), PROMPTS)
    assert (check.passed, check.detail) == (False, "no")
