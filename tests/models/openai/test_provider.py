"""Options of models behind a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.errors import UsageError
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.openai import ChatModel, CompletionsModel


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("openai/", ModelOptions(), "the model has no name"),
        ("openai/m", ModelOptions(args={"base-url": "x"}), "Did you mean 'base_url'"),
        ("openai/m", ModelOptions(args={"endpoint": "embed"}), "unknown endpoint 'embed'"),
        ("openai/m", ModelOptions(args={"base_url": "localhost:8000"}), "not an address of a server"),
        ("openai/m", ModelOptions(args={"base_url": "http://[::1"}), "not an address of a server"),
        ("openai/m", ModelOptions(dtype="bfloat16"), "decides that by itself"),
        ("openai/m", ModelOptions(adapter=Path("a")), "--adapter"),
        ("openai/m", ModelOptions(args={"top_logprobs": "0"}), "'top_logprobs' must be a whole number"),
        ("openai/m", ModelOptions(args={"retries": "no"}), "'retries' must be a whole number"),
        ("some-model", ModelOptions(args={"base_url": "http://localhost"}), "Write openai/some-model"),
    ],
)
def test_options_that_cannot_be(name: str, options: ModelOptions, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_model(name, options)


def test_a_password_in_the_address_is_not_repeated() -> None:
    with pytest.raises(UsageError, match="holds a user name or password") as caught:
        load_model("openai/m", ModelOptions(args={"base_url": "http://me:secret@localhost/v1"}))
    assert "secret" not in str(caught.value)


def test_the_endpoint_decides_the_class_and_arguments_of_the_template_are_part_of_the_identity() -> None:
    options = ModelOptions(args={"base_url": "http://localhost:1/v1"}, chat_template_args={"enable_thinking": False})
    model = load_model("openai/m", options)
    assert isinstance(model, ChatModel)
    assert model.identity.settings["chat_template_args"] == '{"enable_thinking": false}'
    completions = ModelOptions(args={"base_url": "http://localhost:1/v1", "endpoint": "completions"})
    assert isinstance(load_model("openai/m", completions), CompletionsModel)
