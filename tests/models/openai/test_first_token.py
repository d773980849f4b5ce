"""Bounds of options' probabilities from a list of first tokens, against the whole distribution."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.core import Outcome
from phraseproof.models.openai.first_token import can_be_first_tokens, first_token_scores
from phraseproof.models.openai.top_logprobs import FirstTokens, ListedToken
from phraseproof.scoring.first_token import SCORER
from support import tiny_models
from support.chat_server import chat_of, next_token_logprobs, token_text, written_out
from support.openai_server import serve

VOCABULARY: tuple[str, ...] = (
    "A",
    " A",
    "B",
    " B",
    "C",
    " C",
    "D",
    " D",
    "The",
    " a",
    "a",
    "A)",
    "\n",
    "I",
    "Yes",
    "Ye",
    "No",
    "N",
)
OPTIONS: tuple[str, ...] = ("A", "B", "C", "D")


def listed(probabilities: Mapping[str, float], count: int) -> FirstTokens:
    top = sorted(probabilities, key=lambda text: -probabilities[text])[:count]
    tokens = tuple(ListedToken((text,), math.log(probabilities[text])) for text in top)
    return FirstTokens(tokens, count)


@given(st.lists(st.floats(0.001, 1.0), min_size=len(VOCABULARY), max_size=len(VOCABULARY)), st.integers(2, 18))
def test_the_true_probability_lies_within_the_bounds_and_closed_choices_are_the_true_ones(
    weights: list[float], count: int
) -> None:
    whole: dict[str, float] = dict(zip(VOCABULARY, (weight / math.fsum(weights) for weight in weights), strict=True))
    scores = first_token_scores(OPTIONS, listed(whole, count))
    true = [whole[option] + whole[f" {option}"] for option in OPTIONS]
    for low, high, value in zip(scores.logprobs, scores.upper_logprobs, true, strict=True):
        assert math.exp(low) <= value + 1e-9
        assert value <= math.exp(high) + 1e-9
    outcome = SCORER.predict(
        Outcome("e", 0.0, OPTIONS, scores.logprobs, option_upper_logprobs=scores.upper_logprobs, text=scores.text)
    )
    if outcome.predicted is None:
        assert not any(whole[each] >= sorted(whole.values())[-count] for o in OPTIONS for each in (o, f" {o}"))
    elif not outcome.is_open:
        assert true[outcome.predicted] == max(true)


def test_case_counts_and_tokens_that_hold_more_are_no_spellings() -> None:
    scores = first_token_scores(("A", "B"), listed({"A": 0.2, " A": 0.1, "a": 0.3, "A)": 0.2, "\nB": 0.2}, 5))
    assert [math.exp(value) for value in scores.logprobs] == pytest.approx([0.3, 0.2])
    assert [math.exp(value) for value in scores.upper_logprobs] == pytest.approx([0.3, 0.2])
    assert scores.text == "a"


def test_what_the_list_leaves_out_is_bounded_by_its_smallest_probability_and_by_what_remains() -> None:
    found = listed({"A": 0.5, "x": 0.2, "y": 0.1}, 3)
    low, high = (
        [math.exp(value) for value in values]
        for values in (
            first_token_scores(("A", "B"), found).logprobs,
            first_token_scores(("A", "B"), found).upper_logprobs,
        )
    )
    assert low == pytest.approx([0.5, 0.0])
    assert high == pytest.approx([0.6, 0.2])  # ` A` is not listed; of B, neither spelling is
    nearly_all = listed({"A": 0.5, " A": 0.3, "x": 0.19}, 3)
    assert math.exp(first_token_scores(("A", "B"), nearly_all).upper_logprobs[1]) == pytest.approx(0.01)


def test_a_drawn_token_after_the_most_probable_ones_bounds_nothing() -> None:
    tokens = [ListedToken((text,), math.log(p)) for text, p in (("A", 0.4), ("x", 0.2), ("drawn", 0.001))]
    scores = first_token_scores(("A", "B"), FirstTokens(tuple(tokens), 2))
    assert math.exp(scores.upper_logprobs[1]) == pytest.approx(0.399)


def test_a_longer_option_may_begin_with_a_shorter_token() -> None:
    scores = first_token_scores(("Yes", "No"), listed({"Ye": 0.3, "No": 0.4, "other": 0.1}, 3))
    assert [math.exp(value) for value in scores.logprobs] == pytest.approx([0.0, 0.4])
    assert [math.exp(value) for value in scores.upper_logprobs] == pytest.approx([0.5, 0.6])


@pytest.mark.parametrize(
    ("options", "can"),
    [(("A", "B"), True), (("Yes", "No"), True), (("a pear", "ice"), False), (("A", " A"), False), (("", "A"), False)],
)
def test_options_that_may_be_single_tokens(options: tuple[str, ...], can: bool) -> None:
    assert can_be_first_tokens(options) is can


@pytest.mark.parametrize("most", [20, 400])
def test_scores_equal_the_softmax_of_plain_transformers(most: int) -> None:
    from phraseproof.core import ChatMessage, Prompt
    from phraseproof.models.openai import ChatModel
    from phraseproof.models.openai.model import Requests
    from phraseproof.models.openai.server import ServerSettings

    folder = tiny_models.tiny_gpt2()
    messages = (ChatMessage("system", "Be brief."), ChatMessage("user", "Which river? A. red B. blue"))
    prompt = Prompt("unused", ("A", "B", "r", "s"), messages=messages)
    with serve(chat_of(folder, most=most)) as served:
        model = ChatModel("openai/m", ServerSettings(served.base_url), Requests(top_logprobs=most))
        (scores,) = model.score_options([prompt], method="first_token")
        sent = served.asked[0].body
    assert sent["messages"] == [message._asdict() for message in messages]
    logprobs = next_token_logprobs(folder, written_out(sent["messages"]))
    texts = {token: token_text(folder, token) for token in logprobs}
    top = sorted(logprobs, key=lambda token: -logprobs[token])[:most]
    for option, low, high in zip(prompt.options, scores.logprobs, scores.upper_logprobs, strict=True):
        every = math.fsum(math.exp(logprobs[token]) for token in texts if texts[token].strip() == option)
        of_list = math.fsum(math.exp(logprobs[token]) for token in top if texts[token].strip() == option)
        assert math.exp(low) == pytest.approx(of_list, abs=1e-6)
        assert math.exp(low) - 1e-6 <= every <= math.exp(high) + 1e-6
