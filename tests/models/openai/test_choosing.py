"""Which method is chosen on servers that can do different things."""

from __future__ import annotations

from pathlib import Path

import pytest

import phraseproof
from phraseproof.core import ChoosesMethod, ChosenMethod
from phraseproof.errors import ModelError, NoAnswerError, StoppedError
from phraseproof.instructions.collections import Collection
from phraseproof.models import ModelOptions, load_model
from support import tiny_models
from support.chat_server import chat_of
from support.free_texts import METRIC, WORDINGS, notes, register
from support.openai_server import Answer, Asked, Reply, chat_reply, serve

LETTERS = [("A", "B", "C", "D")]


def chosen(answer: Answer, method: str | None = None, **args: str) -> tuple[ChosenMethod, list[Asked]]:
    with serve(answer) as served:
        model = load_model("openai/m", ModelOptions(args={"base_url": served.base_url, "retries": "1", **args}))
        assert isinstance(model, ChoosesMethod)
        return model.choose_method(method, LETTERS), served.asked


def echoing(asked: Asked) -> Reply:
    text = asked.body["prompt"]
    logprobs = {"tokens": [text[:-2], text[-2:]], "token_logprobs": [None, -2.0]}
    return Reply({"choices": [{"text": text, "logprobs": logprobs}]})


def test_exact_log_likelihoods_come_first() -> None:
    found, asked = chosen(echoing)
    assert found.method == "loglikelihood"
    assert found.model.identity.settings["endpoint"] == "completions"
    assert len(asked) == 6  # four options, and the next tokens of two sentences, which this server does not list


def test_a_chat_server_is_read_by_its_first_token_and_the_reason_is_given() -> None:
    found, _ = chosen(chat_of(tiny_models.tiny_gpt2()))
    assert found.method == "first_token"
    assert found.model.identity.settings["endpoint"] == "chat"
    assert found.model.identity.settings["top_logprobs"] == "20"
    assert any("loglikelihood does not work" in note for note in found.notes)


def test_the_number_of_first_tokens_is_lowered_to_what_the_server_gives() -> None:
    found, _ = chosen(chat_of(tiny_models.tiny_gpt2(), most=5))
    assert found.model.identity.settings["top_logprobs"] == "5"
    assert "5 of them, which is the most that the server gives" in found.notes[0]


def test_what_was_asked_for_is_kept() -> None:
    found, asked = chosen(chat_of(tiny_models.tiny_gpt2()), "loglikelihood")
    assert found.method == "loglikelihood"
    assert found.model.identity.settings["endpoint"] == "completions"
    assert {each.path for each in asked} == {"/v1/completions", "/generate"}  # the self-test says why it does not work
    assert chosen(echoing, "loglikelihood", echo="echo")[1] == []
    found, asked = chosen(chat_of(tiny_models.tiny_gpt2()), "first_token", endpoint="completions", top_logprobs="7")
    assert found.model.identity.settings["top_logprobs"] == "7"
    assert {each.path for each in asked} == {"/v1/completions"}


def test_a_server_that_can_do_nothing_says_why() -> None:
    with pytest.raises(
        ModelError, match=r"loglikelihood does not work.*first_token does not work.*content is not text"
    ):
        chosen(lambda _: Reply({"choices": [{"message": {"content": 5}, "text": 5}]}))


def test_the_last_way_is_to_generate_and_constraints_are_tried_first() -> None:
    def answer(asked: Asked) -> Reply:
        if "prompt" in asked.body or "logprobs" in asked.body:
            return Reply({"error": "no log-probabilities here"}, 400)
        if "structured_outputs" in asked.body:
            return Reply({"error": "unknown field"}, 400)
        is_json = "response_format" in asked.body
        return Reply({"choices": [{"message": {"content": '{"answer": "zebra"}' if is_json else "7"}}]})

    found, asked = chosen(answer)
    assert found.method == "generate"
    assert found.model.identity.settings["answer_format"] == "json_schema"
    assert "answers are constrained to the options (json_schema)" in found.notes[0]
    assert any("loglikelihood does not work" in note for note in found.notes)
    assert sum("guided_choice" in each.body for each in asked) == 1  # tried, and not followed
    found, _ = chosen(answer, "generate", answer_format="text")
    assert found.model.identity.settings["answer_format"] == "text"
    with pytest.raises(ModelError, match="does not follow the answer format 'guided_choice'"):
        chosen(answer, "generate", answer_format="guided_choice")


def test_a_constraint_counts_also_if_the_server_indents_its_json() -> None:
    def answer(asked: Asked) -> Reply:
        # llama-server's answer, which has 26 tokens in SmolLM2's vocabulary.
        text = '{\n  "answer": "zebra"\n}' if asked.body["max_tokens"] >= 26 else '{\n  "answer": "zeb'
        return Reply({"choices": [{"message": {"content": text if "response_format" in asked.body else "7"}}]})

    found, _ = chosen(answer, "generate")
    assert found.model.identity.settings["answer_format"] == "json_schema"


def test_texts_cannot_be_first_tokens() -> None:
    with serve(chat_of(tiny_models.tiny_gpt2())) as served:
        model = load_model("openai/m", ModelOptions(args={"base_url": served.base_url}))
        assert isinstance(model, ChoosesMethod)
        with pytest.raises(ModelError, match=r"several words .*'a pear'.*wordings whose answers are letters"):
            model.choose_method("first_token", [*LETTERS, ("a pear", "ice")])


def test_a_server_that_is_gone_is_not_tried_in_every_way() -> None:
    with pytest.raises(ModelError, match=r"HTTP 503 \(tried 2 times\)"):
        chosen(lambda _: Reply("busy", 503))


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_ends_the_trials_with_the_first_way(status: int) -> None:
    asked: list[str] = []

    def refuse(each: Asked) -> Reply:
        asked.append(each.path)
        return Reply({"error": {"message": "Incorrect API key"}}, status)

    with pytest.raises(StoppedError, match=f"HTTP {status} .got Incorrect API key") as caught:
        chosen(refuse)
    assert set(asked) == {"/v1/completions"}  # the endpoint chat is not tried
    assert "does not work" not in str(caught.value)


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_missing_endpoint_leaves_the_other_one(status: int) -> None:
    chat = chat_of(tiny_models.tiny_gpt2())

    def answer(each: Asked) -> Reply:
        return chat(each) if each.path.endswith("/chat/completions") else Reply({"error": "no such path"}, status)

    found, asked = chosen(answer)
    assert found.method == "first_token"
    assert sum(each.path == "/v1/completions" for each in asked) <= 4  # none is repeated


@pytest.mark.parametrize("number", [3.5, True, float("inf"), "-2"])
def test_impossible_log_probabilities_end_the_trials(number: object) -> None:
    """A server that is wrong about them is not read in another way without a word: texts of it would be scored."""

    def answer(asked: Asked) -> Reply:
        text = asked.body.get("prompt", "B")
        logprobs = {"tokens": [text[:-2], text[-2:]], "token_logprobs": [None, number]}
        return Reply({"choices": [{"text": text, "logprobs": logprobs, "message": {"content": "B"}}]})

    with pytest.raises(ModelError, match=r"log-probability is (impossible|not a number).*--scoring generate") as caught:
        chosen(answer)
    assert "\n" not in str(caught.value)
    assert chosen(answer, "generate")[0].method == "generate"


def test_a_dead_server_is_tried_in_one_way_and_a_failing_one_in_every_way() -> None:
    with serve(echoing) as served:
        pass
    model = load_model("openai/m", ModelOptions(args={"base_url": served.base_url, "retries": "1"}))
    assert isinstance(model, ChoosesMethod)
    for method in (None, "first_token", "generate"):
        with pytest.raises(NoAnswerError, match=r"v1: the server cannot be reached.*Check that the server runs"):
            model.choose_method(method, LETTERS)

    chat = chat_of(tiny_models.tiny_gpt2())
    found, _ = chosen(lambda each: Reply("failed", 500) if "echo" in each.body else chat(each))
    assert found.method == "first_token"


def test_a_server_that_fails_on_constraints_is_read_in_free_texts() -> None:
    def answer(asked: Asked) -> Reply:
        if set(asked.body) & {"structured_outputs", "guided_choice", "response_format"}:
            return Reply("failed", 500)
        return Reply({"choices": [{"message": {"content": "B"}}]})

    found, _ = chosen(answer, "generate")
    assert found.method == "generate"
    assert found.model.identity.settings["answer_format"] == "text"
    assert "follows no constraint" in found.notes[0]


def test_free_text_is_written_without_trials_or_constraints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The maximum length is counted in bytes, because the server's tokenizer is not here."""
    register(monkeypatch)
    with serve(lambda asked: chat_reply(asked.body["messages"][-1]["content"].rpartition("\n")[2])) as served:
        run = phraseproof.evaluate(
            "openai/m",
            notes(),
            {"mine": Collection("mine", WORDINGS)},
            tmp_path,
            metric=METRIC,
            self_test=False,
            model_options=ModelOptions(args={"base_url": served.base_url}),
        )
        bodies = [asked.body for asked in served.asked]
    assert len(bodies) == 6
    assert {each["max_tokens"] for each in bodies} == {28}
    assert not any(name in each for each in bodies for name in ("response_format", "guided_choice", "logprobs"))
    assert {row.instruction: row.mean_score for row in run.wording_scores()} == {
        "mine/short": 2 / 3,
        "mine/gist": 2 / 3,
    }
    assert run.settings["model"]["settings"]["answer_format"] == "text"
