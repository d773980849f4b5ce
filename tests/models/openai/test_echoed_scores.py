"""Log-probabilities are taken over exactly, or refused with the reason."""

from __future__ import annotations

import math
from typing import Any

import pytest

from phraseproof.core import Prompt
from phraseproof.models.openai.echo_ways import WAYS
from phraseproof.models.openai.echoed_scores import EchoedScore, UnusableError, option_scores, request_text
from phraseproof.models.openai.echoed_scores import score_of as score_of_echo


def choice(tokens: Any, values: Any, **more: Any) -> dict[str, object]:
    return {"text": "", "logprobs": {"tokens": tokens, "token_logprobs": values, **more}}


def score_of(choice: object, start: str, tail: str) -> EchoedScore:
    return score_of_echo(WAYS["echo"].read(choice), start, tail)


def test_the_options_tokens_are_added_up() -> None:
    found = score_of(choice(["<s>", "Say", " mo", "on", "!"], [None, -9, -0.25, -2, -7.5]), "Say", " moon")
    assert found == EchoedScore(-2.25, 2, 2)
    assert score_of(choice(["Say", " moon"], [None, -1]), "Say", " moon") == EchoedScore(-1.0, 1, 1)


@pytest.mark.parametrize(
    "value",
    [True, False, 3.5, math.inf, -math.inf, math.nan, "-1.0", [-1.0], {"a": 1}, 10**400, float("1e400")],
    ids=repr,
)
@pytest.mark.parametrize("place", [1, 2, 3])
def test_impossible_log_probabilities_are_refused_wherever_they_are(value: object, place: int) -> None:
    values: list[object] = [None, -1.0, -1.0, -1.0]
    values[place] = value
    with pytest.raises(UnusableError, match=r"a log-probability is (impossible|not a number)"):
        score_of(choice(["Say", " the", " moon", "!"], values), "Say the", " moon")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "does not send"),
        ({"logprobs": None}, "does not send"),
        ({"logprobs": [1]}, "does not send"),
        (choice({"a": 1}, [1]), "does not send"),
        (choice(["a"], "b"), "does not send"),
        (choice(["Say", " moon"], [None]), "does not send"),
        (choice([1, 2], [None, -1]), "name is not text"),
        (choice(["Say", " moon"], [None, None]), "no log-probability"),
        (choice(["Say", "moon"], [None, -1.0]), "do not spell the prompt .got 'Saymoon'"),
        (choice(["Say", "moon"], [None, -1.0], text_offset=["a", True]), "do not spell the prompt"),
    ],
)
def test_answers_of_the_wrong_type_are_refused(answer: object, message: str) -> None:
    with pytest.raises(UnusableError, match=message):
        score_of(answer, "Say", " moon")


def test_options_that_exclude_each_other_have_at_most_all_of_the_probability() -> None:
    prompt = Prompt("Say", ("moon", "star", "stone"))
    fine = [EchoedScore(math.log(share), 1, 1) for share in (0.5, 0.3, 0.2)]
    assert option_scores(prompt, fine).logprobs == tuple(score.logprob for score in fine)
    with pytest.raises(UnusableError, match=r"add up to 3\.00, which cannot be"):
        option_scores(prompt, [EchoedScore(0.0, 1, 1)] * 3)
    # "moon" may be the first part of "moonlight": both can be nearly certain.
    option_scores(Prompt("Say", ("moonlight", "a", "moon")), [EchoedScore(-0.1, 1, 1)] * 3)


def test_white_space_belongs_to_the_option() -> None:
    assert request_text(Prompt("Say \n", ("moon",), target_delimiter=" "), "moon") == ("Say", " \n moon")
