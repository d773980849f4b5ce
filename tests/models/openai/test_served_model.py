"""What both endpoints share: answers that are written, and what of a request is part of the identity."""

from __future__ import annotations

import pytest

from phraseproof.core import ChatMessage, CutText, OptionScores, Prompt, Sampling
from phraseproof.errors import ModelError
from phraseproof.models.openai.model import ChatModel, CompletionsModel, Requests, model_at
from phraseproof.models.openai.server_settings import ServerSettings
from support.openai_server import Asked, Reply, serve


def test_an_answer_that_cannot_be_used_fails_its_prompt_alone() -> None:
    def answer(asked: Asked) -> Reply:
        text = asked.body["messages"][-1]["content"]
        if text == "long":
            return Reply({"error": "too long"}, 400)
        return Reply({"choices": [{"message": {"content": 5 if text == "odd" else f" {text}! "}}]})

    prompts = [Prompt(text, ("A", "B")) for text in ("one", "long", "odd", "two")]
    found: dict[int, OptionScores | ModelError] = {}
    with serve(answer) as served:
        model = ChatModel("openai/m", ServerSettings(served.base_url), Requests(answer_format="guided_choice"))
        samplings = [Sampling(0.5, seed=seed) for seed in range(3, 7)]
        model.write_answers(prompts, max_new_tokens=5, samplings=samplings, on_scores=found.__setitem__)
        sent = {each.body["messages"][-1]["content"]: each.body for each in served.asked}
        body = sent["one"]
    assert [each.text if isinstance(each, OptionScores) else None for _, each in sorted(found.items())] == [
        "one!",
        None,
        None,
        "two!",
    ]
    assert "too long" in str(found[1])
    assert (body["guided_choice"], body["temperature"], body["seed"], body["max_tokens"]) == (["A", "B"], 0.5, 3, 5)
    assert [sent[prompt.text]["seed"] for prompt in prompts] == [3, 4, 5, 6]


def test_messages_go_to_chat_as_they_are_with_the_arguments_of_its_template() -> None:
    messages = (
        ChatMessage("system", "s"),
        ChatMessage("user", "u"),
        ChatMessage("assistant", "a"),
        ChatMessage("user", "v"),
    )
    with serve(lambda _: Reply({"choices": [{"message": {"content": "x"}}]})) as served:
        model = ChatModel(
            "openai/m", ServerSettings(served.base_url), Requests(template_args={"enable_thinking": False})
        )
        model.generate([Prompt(model.format_chat(messages), messages=messages)], max_new_tokens=5)
        body = served.asked[0].body
    assert body["messages"] == [message._asdict() for message in messages]
    assert body["chat_template_kwargs"] == {"enable_thinking": False}


def test_what_changes_answers_is_in_the_identity_and_the_key_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    settings = ServerSettings("http://localhost:1/v1")
    first = ChatModel("openai/m", settings, Requests(method="first_token", top_logprobs=7)).identity
    assert first.settings == {"base_url": "http://localhost:1/v1", "endpoint": "chat", "top_logprobs": "7"}
    text = CompletionsModel("openai/m", settings, Requests(method="generate")).identity
    assert text.settings["answer_format"] == "text"
    assert "sk-secret" not in repr((first, text))
    assert (model_at("chat"), model_at("completions")) == (ChatModel, CompletionsModel)


def test_stop_strings_are_sent_and_kept_to_and_cut_texts_are_marked() -> None:
    def answer(asked: Asked) -> Reply:
        text = asked.body["messages"][-1]["content"]
        return Reply({"choices": [{"message": {"content": f"{text}. Q: more"}, "finish_reason": "length"}]})

    found: list[OptionScores | ModelError] = []
    with serve(answer) as served:
        model = ChatModel("openai/m", ServerSettings(served.base_url))
        for stop in ((), ("Q:",)):
            model.write_answers(
                [Prompt("one")],
                max_new_tokens=5,
                samplings=[Sampling(0.5, 0.9, top_k=7)],
                on_scores=lambda _, each: found.append(each),
                stop=stop,
            )
        without, with_stop = (each.body for each in served.asked)
    texts = [each.text for each in found if isinstance(each, OptionScores)]
    assert texts == ["one. Q: more", "one."]
    assert [isinstance(text, CutText) for text in texts] == [True, False]
    assert "stop" not in without
    assert (with_stop["stop"], with_stop["top_k"], with_stop["top_p"]) == (["Q:"], 7, 0.9)
