"""Every way in which servers return log-probabilities of texts gives the scores of the same model in this process."""

from __future__ import annotations

import math
from typing import Any

import pytest

from phraseproof.core import ChoosesMethod, Prompt, ScoresOptions
from phraseproof.errors import ModelError, UsageError
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.openai.echo_ways import WAYS
from phraseproof.models.openai.echoed_scores import EchoedScore, UnusableError, score_of
from phraseproof.models.openai.served_model import ServedModel
from support import tiny_models
from support.echo_server import Entries, echoing_by
from support.openai_server import Asked, Reply, serve

LETTERS = [("A", "B", "C", "D")]
PROMPTS = [
    Prompt("Question: which river is red? Answer:", ("the north river", "stone", "A")),
    Prompt("green or blue? ", ("green", "blue"), target_delimiter=""),
    Prompt("A paper\nAnswer:\n", ("glass paper", "black paper"), target_delimiter=""),
    Prompt("Is it 6\u00b0C? Gr\u00f6\u00dfe \U0001f600?", ("\u4f60\u597d red", "!!!", "!!"), target_delimiter=" "),
]


def read_by(way: str, base_url: str, **args: str) -> ServedModel:
    model = load_model("openai/m", ModelOptions(args={"base_url": base_url, "retries": "1", "echo": way, **args}))
    assert isinstance(model, ChoosesMethod)
    found = model.choose_method("loglikelihood", LETTERS).model
    assert isinstance(found, ServedModel)
    return found


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("folder", [tiny_models.tiny_gpt2, tiny_models.tiny_llama], ids=["gpt2", "llama"])
def test_scores_are_those_of_the_same_model_in_this_process(way: str, folder: Any) -> None:
    local = load_model(str(folder()), ModelOptions(dtype="float32", device="cpu"))
    assert isinstance(local, ScoresOptions)
    with serve(echoing_by(way, folder())) as served:
        found = read_by(way, served.base_url).score_options(PROMPTS)
    for mine, theirs in zip(found, local.score_options(PROMPTS), strict=True):
        assert mine.logprobs == pytest.approx(theirs.logprobs, abs=1e-4)
        assert (mine.prompt_tokens, mine.option_tokens) == (theirs.prompt_tokens, theirs.option_tokens)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", [None, "loglikelihood"])
def test_the_way_that_works_is_found_recorded_and_reported(way: str, method: str | None) -> None:
    with serve(echoing_by(way, tiny_models.tiny_gpt2())) as served:
        model = load_model("openai/m", ModelOptions(args={"base_url": served.base_url}))
        assert isinstance(model, ChoosesMethod)
        found = model.choose_method(method, LETTERS)
        assert isinstance(found.model, ServedModel)
        checks = {check.name: check for check in found.model.self_test(PROMPTS)}
    assert found.method == "loglikelihood"
    # Omitted for the first way, so that runs made before there were others still match.
    assert found.model.identity.settings.get("echo", "echo") == way
    assert ("echo" in found.model.identity.settings) == (way != "echo")
    assert ("echo" in found.notes[0]) == (way in found.notes[0]) == (way != "echo")
    assert all(check.passed for check in checks.values()), checks
    assert "one BOS token at most" in checks


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("value", [True, 3.5, math.inf, math.nan, "-1.0", [-1.0], 10**400])
def test_impossible_values_are_refused_in_every_way(way: str, value: Any) -> None:
    def change(entries: Entries) -> None:
        entries[-1] = (*entries[-1][:2], value)

    with serve(echoing_by(way, tiny_models.tiny_gpt2(), change)) as served:
        model = read_by(way, served.base_url)
        with pytest.raises(ModelError, match=r"log-probability is (impossible|not a number).*--scoring generate"):
            model.score_options(PROMPTS[:1])


@pytest.mark.parametrize("way", list(WAYS)[1:])
def test_a_missing_value_and_a_lost_token_are_refused(way: str) -> None:
    def lose(entries: Entries) -> None:
        del entries[-2]

    def empty(entries: Entries) -> None:
        entries[-1] = (*entries[-1][:2], None)

    for change, message in ((lose, "do not spell the prompt"), (empty, "no log-probability|does not hold one token")):
        server = echoing_by(way, tiny_models.tiny_gpt2(), change)
        with serve(server) as served, pytest.raises(ModelError, match=message):
            read_by(way, served.base_url).score_options(PROMPTS[:1])


def place(text: object, value: object) -> dict[str, object]:
    return {"7": {"logprob": value, "rank": 1, "decoded_token": text}}


@pytest.mark.parametrize(
    ("way", "answer", "message"),
    [
        ("prompt_logprobs", {"text": "a"}, "does not send"),
        ("prompt_logprobs", {"prompt_logprobs": None}, "does not send"),
        ("prompt_logprobs", {"prompt_logprobs": {"0": 1}}, "does not send"),
        ("prompt_logprobs", {"prompt_logprobs": [None, None]}, "does not hold one token .got None"),
        ("prompt_logprobs", {"prompt_logprobs": [None, {**place("a", -1), "8": {}}]}, "does not hold one token"),
        ("prompt_logprobs", {"prompt_logprobs": [None, place(None, -1)]}, "name is not text"),
        ("prompt_logprobs", {"prompt_logprobs": [None, {"7": -1}]}, "name is not text"),
        ("logprob_start_len", {"text": "a"}, "does not send"),
        ("logprob_start_len", {"meta_info": {}}, "does not send"),
        ("logprob_start_len", {"meta_info": {"input_token_logprobs": []}}, "does not send"),
        (
            "logprob_start_len",
            {"meta_info": {"input_token_logprobs": [[-1, 7]]}},
            r"token's number and its text .*-1, 7",
        ),
        ("logprob_start_len", {"meta_info": {"input_token_logprobs": [[None, 7, None]]}}, "name is not text .got None"),
        ("logprob_start_len", {"meta_info": {"input_token_logprobs": ["abc"]}}, "its text"),
    ],
)
def test_answers_of_another_shape_are_refused(way: str, answer: object, message: str) -> None:
    with pytest.raises(UnusableError, match=message):
        WAYS[way].read(answer)


def test_the_first_token_of_vllm_has_no_name() -> None:
    def score(tokens: list[str], start: str, tail: str) -> EchoedScore:
        listed = [None, *(place(text, -1.0) for text in tokens)]
        return score_of(WAYS["prompt_logprobs"].read({"prompt_logprobs": listed}), start, tail)

    assert score(["Say", " mo", "on"], "Say", " moon") == EchoedScore(-2.0, 2, 2)  # it was a BOS token
    assert score([" mo", "on"], "Say", " moon") == EchoedScore(-2.0, 1, 2)  # it was the prompt's first
    assert score(["a", "!", "!", "!"], "aa", "!!!") == EchoedScore(-3.0, 2, 3)  # nothing that follows is generated
    assert score(["<s>", "Say", " moon"], "Say", " moon") == EchoedScore(-1.0, 3, 1)
    for tokens in (["n"], ["y moon"], ["Say", "moon"], []):
        with pytest.raises(UnusableError):
            score(tokens, "Say", " moon")


@pytest.mark.parametrize(("added", "passes"), [([], True), (["<s>"], True), (["<s>", "<s>"], False)])
@pytest.mark.parametrize("way", WAYS)
def test_two_bos_tokens_are_found_in_every_way(way: str, added: list[str], passes: bool) -> None:
    def change(entries: Entries) -> None:
        entries[0] = (*entries[0][:2], -1.0)
        entries[:0] = [(1, text, None if number == 0 else -1.0) for number, text in enumerate(added)]
        entries[0] = (*entries[0][:2], None)

    with serve(echoing_by(way, tiny_models.tiny_gpt2(), change)) as served:
        check = read_by(way, served.base_url).self_test(PROMPTS[:1])[-1]
    assert (check.name, check.passed) == ("one BOS token at most", passes)


def test_a_server_that_ignores_every_field_is_read_by_its_first_token() -> None:
    def ignoring(asked: Asked) -> Reply:
        listed = [{"token": chr(65 + place), "logprob": -1.0 - place, "bytes": None} for place in range(20)]
        logprobs = {"content": [{**listed[0], "top_logprobs": listed}]}
        return Reply({"choices": [{"text": "x", "message": {"content": "A"}, "logprobs": logprobs}]})

    with serve(ignoring) as served:
        model = load_model("openai/m", ModelOptions(args={"base_url": served.base_url, "retries": "1"}))
        assert isinstance(model, ChoosesMethod)
        found = model.choose_method(None, LETTERS)
    assert found.method == "first_token"
    assert "(by prompt_logprobs and logprob_start_len, neither)" in found.notes[1]
    assert "echo" not in found.model.identity.settings
    paths = [each.path for each in served.asked]
    assert paths[:9:4] == ["/v1/completions", "/v1/completions", "/generate"]


def test_the_way_can_be_chosen() -> None:
    with pytest.raises(UsageError, match=r"unknown echo 'x'.*prompt_logprobs"):
        load_model("openai/m", ModelOptions(args={"base_url": "http://localhost/v1", "echo": "x"}))
    with serve(echoing_by("logprob_start_len", tiny_models.tiny_gpt2())) as served:
        options = ModelOptions(args={"base_url": served.base_url, "retries": "1", "echo": "prompt_logprobs"})
        model = load_model("openai/m", options)
        assert isinstance(model, ChoosesMethod)
        with pytest.raises(ModelError, match="does not work"):
            model.choose_method(None, [("a pear", "a plum")])
        assert all(each.path != "/generate" for each in served.asked)
