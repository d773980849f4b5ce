"""Models behind a server, against real HTTP on loopback; scores against the same model in this process."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from phraseproof.core import CutText, Generates, OptionScores, Prompt, Sampling, ScoresOptions
from phraseproof.errors import ModelError
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.openai import ChatModel, CompletionsModel
from phraseproof.models.openai.server import ServerSettings
from support import tiny_models
from support.openai_server import Asked, Reply, chat_reply, serve

PROMPTS = [Prompt(f"Say {word}") for word in ("moon", "star", "river", "stone", "bread", "glass")]


def fast(base_url: str, **changes: Any) -> ServerSettings:
    return ServerSettings(base_url, first_wait_s=0.01)._replace(**changes)


def echo(asked: Asked) -> Reply:
    return chat_reply(f" You said: {asked.body['messages'][0]['content']}\n")


# ------------------------------------------------------------------------------------------------------------- writing


def test_texts_come_back_in_order_with_the_settings_asked_for() -> None:
    def slower_first(asked: Asked) -> Reply:
        time.sleep(0.05 if "moon" in str(asked.body) else 0)
        return echo(asked)

    with serve(slower_first) as served:
        model = load_model("openai/org/some-model", ModelOptions(args={"base_url": served.base_url + "/"}))
        assert isinstance(model, Generates)
        texts = model.generate(PROMPTS, max_new_tokens=9, sampling=Sampling(0.5, 0.8, 3))
    assert texts == [f"You said: {prompt.text}" for prompt in PROMPTS]
    sent = {name: value for name, value in served.asked[0].body.items() if name != "messages"}
    assert sent == {"model": "org/some-model", "max_tokens": 9, "temperature": 0.5, "top_p": 0.8, "seed": 3}
    assert {asked.path for asked in served.asked} == {"/v1/chat/completions"}
    assert "authorization" not in served.asked[0].headers
    assert model.identity.settings == {"base_url": served.base_url, "endpoint": "chat"}


def test_each_text_is_handed_over_as_soon_as_it_is_there() -> None:
    def slower_first(asked: Asked) -> Reply:
        time.sleep(0.3 if "moon" in str(asked.body) else 0)
        return echo(asked)

    with serve(slower_first) as served:
        model = ChatModel("openai/m", fast(served.base_url))
        order = [index for index, _ in model.generate_each(PROMPTS, max_new_tokens=9)]
    assert sorted(order) == list(range(len(PROMPTS)))
    assert order[-1] == 0


def test_an_empty_message_is_an_empty_text() -> None:
    with serve(lambda _: Reply({"choices": [{"message": {"content": None}}]})) as served:
        assert ChatModel("openai/m", fast(served.base_url)).generate(PROMPTS[:1], max_new_tokens=1) == [""]


def test_a_text_that_reached_the_maximum_number_of_tokens_is_marked() -> None:
    def answer(asked: Asked) -> Reply:
        reply = echo(asked)
        reply.body["choices"][0]["finish_reason"] = "length" if "moon" in str(asked.body) else "stop"
        return reply

    with serve(answer) as served:
        texts = ChatModel("openai/m", fast(served.base_url)).generate(PROMPTS[:2], max_new_tokens=9)
    assert [isinstance(text, CutText) for text in texts] == [True, False]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_tried_again(status: int) -> None:
    failures = iter([Reply("busy", status, {"retry-after": "0.02"}), Reply("busy", status, {"retry-after": "Fri"})])
    with serve(lambda asked: next(failures, None) or echo(asked)) as served:
        model = ChatModel("openai/m", fast(served.base_url))
        assert model.generate(PROMPTS[:1], max_new_tokens=9) == ["You said: Say moon"]
    assert len(served.asked) == 3


def test_in_the_end_it_gives_up_in_one_line() -> None:
    with serve(lambda _: Reply("busy", 503)) as served:
        model = ChatModel("openai/m", fast(served.base_url, retries=2))
        with pytest.raises(ModelError, match=r"the server answers with HTTP 503 \(tried 3 times\)") as caught:
            model.generate(PROMPTS[:1], max_new_tokens=9)
    assert len(served.asked) == 3
    assert "\n" not in str(caught.value)


def test_the_server_may_say_how_long_to_wait() -> None:
    failures = iter([Reply("busy", 429, {"retry-after": "0.4"})])
    with serve(lambda asked: next(failures, None) or echo(asked)) as served:
        before = time.perf_counter()
        ChatModel("openai/m", fast(served.base_url)).generate(PROMPTS[:1], max_new_tokens=9)
    assert time.perf_counter() - before >= 0.4


def test_a_server_that_hangs_or_is_not_there() -> None:
    def hang(_: Asked) -> Reply:
        time.sleep(0.5)
        return chat_reply("late")

    with serve(hang) as served:
        model = ChatModel("openai/m", fast(served.base_url, timeout_s=0.05, retries=1))
        with pytest.raises(ModelError, match=r"did not answer within 0.05 s \(tried 2 times\)"):
            model.generate(PROMPTS[:1], max_new_tokens=9)
    gone = ChatModel("openai/m", fast(served.base_url, retries=1))
    with pytest.raises(ModelError, match="cannot be reached"):
        gone.generate(PROMPTS[:1], max_new_tokens=9)


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply({"error": {"message": "bad key sk-secret-1"}}, 401), r"HTTP 401 \(got bad key \[the key\]\)"),
        (Reply({"message": "no such model"}, 404), "HTTP 404 .*no such model.*Check the model's name"),
        (Reply({"detail": [{"msg": "no"}]}, 422), "HTTP 422 .*no"),
        (Reply("<html>", 302), "HTTP 302"),
        (Reply("not json"), r"not JSON: 'not json' \(tried"),
        (Reply({"choices": []}), "not of OpenAI's protocol"),
        (Reply([1]), "not of OpenAI's protocol"),
        (Reply({"choices": [{"text": "a"}]}), "holds no message"),
        (Reply({"choices": ["a"]}), "not of OpenAI's protocol"),
        (Reply({"choices": {"a": 1}}), "not of OpenAI's protocol"),
        (Reply({"choices": 5}), "not of OpenAI's protocol"),
        (Reply({"choices": [{"message": {"content": 5}}]}), "content is not text .got 5"),
        (Reply({"choices": [{"message": {"content": [{"type": "text"}]}}]}), "content is not text"),
        (Reply({"choices": [{"message": {}}, {"message": {}}]}), "several answers to one request"),
        (Reply("[" * 200_000), "is not JSON"),
        (Reply('{"choices": [' + "9" * 5000 + "]}"), "is not JSON"),
    ],
)
def test_refusals_are_one_line_without_the_key(monkeypatch: pytest.MonkeyPatch, reply: Reply, message: str) -> None:
    monkeypatch.setenv("MY_KEY", "sk-secret-1")
    with serve(lambda _: reply) as served:
        model = ChatModel("openai/m", fast(served.base_url, key_variable="MY_KEY"))
        with pytest.raises(ModelError, match=message) as caught:
            model.generate(PROMPTS, max_new_tokens=9)
    assert served.asked[0].headers["authorization"] == "Bearer sk-secret-1"
    assert "sk-secret-1" not in str(caught.value) + repr(caught.value) + str(model.identity)
    assert "\n" not in str(caught.value)


# ------------------------------------------------------------------------------------------------------------- scoring


def completions_of(folder: Path) -> Any:
    """The endpoint `completions` with echoed log-probabilities, as vLLM gives them, from a model on disk."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    network: Any = AutoModelForCausalLM.from_pretrained(folder)

    def answer(asked: Asked) -> Reply:
        assert asked.body["echo"]
        assert asked.body["logprobs"] == 1
        ids = tokenizer(asked.body["prompt"])["input_ids"]
        with torch.inference_mode():
            logprobs = network(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
        following = int(logprobs[-1].argmax())
        values = [
            None,
            *(float(logprobs[place, token]) for place, token in enumerate(ids[1:])),
            float(logprobs[-1, following]),
        ]
        tokens = tokenizer.convert_ids_to_tokens([*ids, following])
        return Reply({"choices": [{"text": "", "logprobs": {"tokens": tokens, "token_logprobs": values}}]})

    return answer


def test_scores_are_those_of_the_same_model_in_this_process() -> None:
    folder = tiny_models.tiny_gpt2()
    prompts = [
        Prompt("Question: which river is red? Answer:", ("the north river", "stone", "A")),
        Prompt("green or blue? ", ("green", "blue"), target_delimiter=""),
        Prompt("A paper\nAnswer:\n", ("glass paper", "black paper"), target_delimiter=""),
    ]
    done: list[int] = []
    with serve(completions_of(folder)) as served:
        model = load_model("openai/m", ModelOptions(args={"base_url": served.base_url, "endpoint": "completions"}))
        assert isinstance(model, ScoresOptions)
        found = model.score_options(prompts, on_done=done.append)
    local = load_model(str(folder), ModelOptions(dtype="float32", device="cpu"))
    assert isinstance(local, ScoresOptions)
    expected = local.score_options(prompts)
    for mine, theirs in zip(found, expected, strict=True):
        assert mine.logprobs == pytest.approx(theirs.logprobs, abs=1e-4)
        assert mine.prompt_tokens == theirs.prompt_tokens
    assert sum(done) == len(prompts)
    assert len(served.asked) == 7


def completion(tokens: list[str], values: list[float | None]) -> Reply:
    return Reply({"choices": [{"text": "a", "logprobs": {"tokens": tokens, "token_logprobs": values}}]})


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply({"choices": [{"text": "a", "logprobs": None}]}), "does not send the log-probabilities"),
        (completion(["Say", " m"], [None, -1.0]), "do not spell the prompt"),
        (completion(["Say m", "oon"], [None, -1.0]), "holds the prompt's end"),
        (completion(["Say", " moon"], [None, None]), "a token of the option has no log-probability"),
        (completion(["Say", " moon"], [None, 0.5]), "impossible .*got 0.5.*The request ends in 'Say moon'"),
        (Reply({"error": "overloaded"}), "refuses the request .*overloaded"),
        (Reply("no", 400), r"HTTP 400 \(got no\)"),
    ],
)
def test_scores_that_cannot_be_had_are_refused(reply: Reply, message: str) -> None:
    with serve(lambda _: reply) as served:
        model = CompletionsModel("openai/m", fast(served.base_url))
        with pytest.raises(ModelError, match=message):
            model.score_options([Prompt("Say", ("moon",))])
        with pytest.raises(ModelError, match="by the method 'paper'"):
            model.score_options([Prompt("Say", ("moon",))], method="paper")
        with pytest.raises(ModelError, match="without options"):
            model.score_options([Prompt("Say")])


def test_an_unusable_answer_fails_its_prompt_alone_and_nothing_is_asked_twice() -> None:
    asked: list[str] = []

    def answer(request: Asked) -> Reply:
        text = request.body["prompt"]
        asked.append(text)
        if "glass noon" in text:
            return Reply({"error": "the prompt is too long"}, 400)
        return completion([text], [None]) if "star moon" in text else completion([text[:-5], text[-5:]], [None, -1.0])

    prompts = [Prompt(f"Say {word}", ("moon", "noon")) for word in ("river", "star", "glass")]
    handed: dict[int, OptionScores | ModelError] = {}
    with serve(answer) as served:
        model = CompletionsModel("openai/m", fast(served.base_url))
        model.stream_scores(prompts, on_scores=handed.__setitem__)
    assert sorted(asked) == sorted(set(asked))
    assert len(asked) == 6
    assert isinstance(handed[1], ModelError)
    assert "the prompt is too long" in str(handed[2])
    scores = handed[0]
    assert isinstance(scores, OptionScores)
    assert scores.logprobs == (-1.0, -1.0)


@pytest.mark.parametrize("reply", [completion(["x"], [None]), Reply("no", 422)])
def test_a_server_that_cannot_score_is_not_asked_everything(reply: Reply) -> None:
    prompts = [Prompt(f"Say {number}", ("moon", "noon")) for number in range(100)]
    with serve(lambda _: reply) as served:
        with pytest.raises(ModelError):
            CompletionsModel("openai/m", fast(served.base_url)).score_options(prompts)
        assert len(served.asked) < 40


def test_the_log_probability_of_a_generated_token_without_text_is_not_the_options() -> None:
    with serve(lambda _: completion(["Say", " moon", ""], [None, -1.5, -40.0])) as served:
        (scores,) = CompletionsModel("openai/m", fast(served.base_url)).score_options([Prompt("Say", ("moon",))])
    assert scores.logprobs == (-1.5,)
    assert scores.option_tokens == (1,)


@pytest.mark.parametrize("text", ["6°C or 7°C?", "Größe \U0001f600?", "\u4f60\u597d?"])
@pytest.mark.parametrize("naming", ["names", "decoded"])
def test_parts_of_characters_are_scored_as_in_this_process(text: str, naming: str) -> None:
    from transformers import AutoTokenizer

    folder = tiny_models.tiny_gpt2()
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    by_name = completions_of(folder)

    def answer(asked: Asked) -> Reply:
        reply = by_name(asked)
        logprobs = reply.body["choices"][0]["logprobs"]
        if naming == "decoded":
            ids = tokenizer.convert_tokens_to_ids(logprobs["tokens"])
            logprobs["tokens"] = [tokenizer.decode([token]) for token in ids]
        return reply

    prompts = [Prompt(f"Question: {text} Answer:", (f"{text[:2]} red", "stone"))]
    with serve(answer) as served:
        (found,) = CompletionsModel("openai/m", fast(served.base_url)).score_options(prompts)
    local = load_model(str(folder), ModelOptions(dtype="float32", device="cpu"))
    assert isinstance(local, ScoresOptions)
    (expected,) = local.score_options(prompts)
    assert found.logprobs == pytest.approx(expected.logprobs, abs=1e-4)
    assert (found.prompt_tokens, found.option_tokens) == (expected.prompt_tokens, expected.option_tokens)
