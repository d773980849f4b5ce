from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from phraseproof.core import GREEDY, OptionScores, Prompt, Sampling
from phraseproof.errors import ModelError
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.openai.model import ServedModel
from phraseproof.models.openai.self_test import check_bos, check_first_tokens, check_scores, check_texts
from phraseproof.models.openai.top_logprobs import FirstTokens, ListedToken
from support.openai_server import Asked, Reply, serve

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
    checks = check_scores(Scores([-1, -2, -3], [-1, -2.1, -3]), PROMPTS)
    assert [check.passed for check in checks] == [True, True]
    assert checks[1].detail == "largest difference 5.0e-02 nats per token"
    assert check_scores(Scores(), []) == []


def test_other_scores_when_asked_again_fail() -> None:
    checks = check_scores(Scores([-1, -2, -3], [-1, -3, -3]), PROMPTS)
    assert [check.passed for check in checks] == [True, False]


def test_one_unusable_answer_is_left_to_the_run_and_only_unusable_ones_fail() -> None:
    checks = check_scores(Scores([-1, None, -3], [-1, -3]), PROMPTS)
    assert [check.passed for check in checks] == [True, True]
    assert "2 of 3 prompts" in checks[0].detail
    (check,) = check_scores(Scores([None, None, None]), PROMPTS)
    assert (check.passed, check.detail) == (False, "no")


# -------------------------------------------------------------------------------------------------------- first tokens


class Lists:
    """Hands over prepared first tokens, another list for every call; a text is an error."""

    def __init__(self, *calls: Sequence[dict[str, float] | str]) -> None:
        self.calls = list(calls)

    def first_tokens(self, prompts: Sequence[Prompt]) -> Iterator[tuple[int, FirstTokens | ModelError]]:
        for index, found in enumerate(self.calls.pop(0)[: len(prompts)]):
            if isinstance(found, str):
                yield index, ModelError(found)
            else:
                tokens = (ListedToken((text,), math.log(value)) for text, value in found.items())
                yield index, FirstTokens(tuple(tokens), 20)


GOOD = [{"moon": 0.6, "star": 0.3}, {"moon": 0.5, "star": 0.3}]


def first(*calls: Sequence[dict[str, float] | str]) -> dict[str, tuple[bool, str]]:
    return {check.name: check[1:] for check in check_first_tokens(Lists(*calls), PROMPTS[:2])}


def test_first_tokens_that_are_a_distribution_pass() -> None:
    checks = first(GOOD, GOOD)
    assert all(passed for passed, _ in checks.values())
    assert checks["answers begin with an option"][1] == "options have 85.0% of the probability on average"
    assert check_first_tokens(Lists(), []) == []


def test_numbers_that_are_no_probabilities_of_the_model_fail() -> None:
    assert (
        "the same numbers for every prompt" in first([GOOD[0]] * 2, [GOOD[0]] * 2)["probabilities are the model's"][1]
    )
    certain = [{"moon": 1.0, "star": 1e-30}, {"star": 1.0, "moon": 1e-30}]
    passed, detail = first(certain, certain)["probabilities are the model's"]
    assert not passed
    assert "cuts or scales probabilities" in detail


def test_a_list_shorter_than_the_options_fails() -> None:
    short: list[dict[str, float] | str] = [{"moon": 0.6}, {"star": 0.5}]
    assert first(short, short)["first tokens"][0] is False


def test_answers_that_begin_with_no_option_fail_and_say_how_they_begin() -> None:
    other: list[dict[str, float] | str] = [{"The": 0.6, "I": 0.3}, {"The": 0.5, "I": 0.3}]
    passed, detail = first(other, other)["answers begin with an option"]
    assert not passed
    assert "most probable: 'The', 'I'" in detail


def test_other_first_tokens_when_asked_again_fail() -> None:
    assert first(GOOD, [{"moon": 0.4, "star": 0.3}, GOOD[1]])["same scores when asked again"][0] is False
    assert first(GOOD, ["gone", GOOD[1]])["same scores when asked again"][0] is False


def test_only_unusable_first_tokens_fail_with_the_reason() -> None:
    assert first(["no", "no"]) == {"first tokens": (False, "no")}


# --------------------------------------------------------------------------------------------------------------- texts


class Writes:
    def __init__(self, *texts: str | ModelError) -> None:
        self.texts = texts

    def write_answers(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        samplings: Sequence[Sampling],
        on_scores: Callable[[int, OptionScores | ModelError], None],
        stop: Sequence[str] = (),
    ) -> None:
        assert not stop
        assert max_new_tokens > 0
        assert list(samplings) == [GREEDY] * len(prompts)
        for index, text in enumerate(self.texts[: len(prompts)]):
            on_scores(index, OptionScores((), 0, 0, text=text) if isinstance(text, str) else text)


def test_texts_pass_where_there_is_something_to_read() -> None:
    (check,) = check_texts(Writes("B", "", ModelError("no")), PROMPTS)
    assert (check.passed, check.detail) == (True, "for 2 of 3 prompts, as 'B'")
    assert check_texts(Writes(), []) == []


def test_empty_texts_fail_and_name_thoughts() -> None:
    (check,) = check_texts(Writes("", "", ""), PROMPTS)
    assert not check.passed
    assert "--max-new-tokens" in check.detail
    (check,) = check_texts(Writes(ModelError("no"), ModelError("no")), PROMPTS)
    assert (check.passed, check.detail) == (False, "no")


def test_two_bos_tokens_at_the_start_of_an_echo_fail_and_are_named() -> None:
    def echo(added: int) -> Callable[[Asked], Reply]:
        def answer(asked: Asked) -> Reply:
            text = asked.body["prompt"]
            tokens = ["<s>"] * added + [text[:-4], text[-4:]]
            values = [None, *[-1.0] * (len(tokens) - 1)]
            return Reply({"choices": [{"text": text, "logprobs": {"tokens": tokens, "token_logprobs": values}}]})

        return answer

    for added in (0, 1, 2):
        with serve(echo(added)) as served:
            args = {"base_url": served.base_url, "endpoint": "completions"}
            model = load_model("openai/m", ModelOptions(args=args))
            assert isinstance(model, ServedModel)
            check = model.self_test([Prompt("Say ", ("moon", "star"))])[-1]
        assert (check.name, check.passed) == ("one BOS token at most", added < 2)
    assert "'<s>' twice: the server adds both" in check.detail
    assert "the prompt has one" in check_bos(["<s>", "<s>", "Say"], "<s>Say").detail
    assert check_bos(["<b>", "<b>", "Say"], "<b><b>Say").passed
