"""Models behind an HTTP server that speaks OpenAI's protocol: vLLM, llama.cpp, transformers serve, hosted ones.

Two endpoints of the protocol are supported:

* `chat` sends messages; the server applies its own chat template. It writes free text, and options are read from its
  first token if the server lists the most probable ones (`top_logprobs`).
* `completions` continues the prompt unchanged, and scores options exactly if the server returns the log-probabilities
  of the prompt (`echo_ways.py`: vLLM and SGLang do, most hosted services do not).

The server does not report weights, revision or precision, so they are not part of the model's identity.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import cast

from phraseproof.core import ChatMessage, Check, OptionScores, Prompt
from phraseproof.errors import ModelError
from phraseproof.models.openai.choosing import NO_TEMPLATE_HINT
from phraseproof.models.openai.echo_check import check_echo
from phraseproof.models.openai.echo_ways import ECHO, WAYS, EchoWay
from phraseproof.models.openai.echoed_scores import (
    EchoedScore,
    UnusableError,
    option_scores,
    request_text,
    score_of,
)
from phraseproof.models.openai.self_test import check_bos
from phraseproof.models.openai.served_model import Requests, ServedModel
from phraseproof.models.openai.server import Choice

__all__ = ["ChatModel", "CompletionsModel", "Requests", "ServedModel", "model_at"]


class ChatModel(ServedModel):
    """A model that answers chat messages: the server applies its own chat template."""

    endpoint = "chat"
    path = "/chat/completions"
    methods = ("first_token",)
    has_chat_template = True

    def format_chat(self, messages: Sequence[ChatMessage]) -> str:
        """The messages as a person reads them; the server receives the messages themselves."""
        return "\n\n".join([*(f"{message.role}: {message.content}" for message in messages), "assistant:"])

    def _asked(self, prompt: Prompt) -> dict[str, object]:
        messages = prompt.messages or (ChatMessage("user", prompt.text),)
        asked: dict[str, object] = {"messages": [message._asdict() for message in messages]}
        if self._requests.template_args:
            asked["chat_template_kwargs"] = dict(self._requests.template_args)
        return asked

    def _first_token_request(self, asked: int) -> dict[str, object]:
        return {"logprobs": True, "top_logprobs": asked}

    def _written(self, choice: Choice) -> str:
        message = choice.get("message")
        if not isinstance(message, dict):
            raise self._server.refused("the server's answer holds no message", got=repr(choice)[:200])
        content = cast("dict[str, object]", message).get("content")
        if content is None:
            return ""
        if not isinstance(content, str):
            raise self._server.refused("the message's content is not text", got=repr(content)[:200])
        return content


class CompletionsModel(ServedModel):
    """A model that continues texts, and scores options if its server returns the prompt's log-probabilities."""

    endpoint = "completions"
    path = "/completions"
    methods = ("loglikelihood", "first_token")

    @property
    def has_chat_template(self) -> bool:
        """Whether messages are rendered on this machine."""
        return self._requests.template is not None

    def format_chat(self, messages: Sequence[ChatMessage]) -> str:
        """The messages in the chat template on this machine.

        Raises:
            ModelError: there is none, or it cannot render them.
        """
        if self._requests.template is None:
            raise ModelError("the endpoint completions has no chat template", hint=NO_TEMPLATE_HINT)
        return self._requests.template.format(messages)

    def require_answer_position(self) -> None:
        """Refuse a chat template that lets the model think before it answers, unless that was requested."""
        if self._requests.template is not None:
            self._requests.template.require_answer_position()

    def self_test(self, prompts: Sequence[Prompt]) -> list[Check]:
        """As for all endpoints; where prompts are echoed, also whether BOS tokens and scores are right.

        Raises:
            ModelError: the server cannot be reached or refuses.
        """
        checks = super().self_test(prompts)
        if self._requests.method not in (None, "loglikelihood") or not prompts or not prompts[0].options:
            return checks
        text = "".join(request_text(prompts[0], prompts[0].options[0]))
        checks.append(check_echo(self, prompts))
        for _, choice in self._server.post_all(self._way.path, [self._way.request(self._model, text)]):
            with contextlib.suppress(UnusableError):  # which the checks say already
                checks.append(check_bos(self._way.read(choice).names, text))
        return checks

    def echoed(self, texts: Sequence[tuple[str, str]]) -> list[EchoedScore | ModelError]:
        """The score of every second text after the first one, by echo."""
        bodies = [self._way.request(self._model, start + tail) for start, tail in texts]
        found = dict(self._server.post_all(self._way.path, bodies))
        return [self._scored(found[index], *text) for index, text in enumerate(texts)]

    def _scores(self, prompts: Sequence[Prompt], method: str) -> Iterator[tuple[int, OptionScores | ModelError]]:
        """By `loglikelihood`, every option takes one request: prompt and option as one text, whose tokens come back.

        Prompt and option are joined by the rule of lm-evaluation-harness, as for decoder-only models here. The texts of
        the tokens show which of them belong to the option. An answer that sends no log-probabilities or impossible
        ones, or tokens that do not spell the prompt or leave open which are the option's, gives an error.
        """
        if method != "loglikelihood":
            yield from super()._scores(prompts, method)
            return
        texts = [request_text(prompt, option) for prompt in prompts for option in prompt.options]
        places = [(index, option) for index, prompt in enumerate(prompts) for option in range(len(prompt.options))]
        found: list[dict[int, EchoedScore | ModelError]] = [{} for _ in prompts]
        bodies = [self._way.request(self._model, start + tail) for start, tail in texts]
        # A prompt of which one option lacks a score asks only for this option again, so the others' answers are kept.
        held = set(range(len(bodies)))
        for number, choice in self._server.post_all(self._way.path, bodies, held=held):
            index, option = places[number]
            found[index][option] = score = self._scored(choice, *texts[number])
            if isinstance(score, ModelError):
                held.discard(number)
            if len(found[index]) == len(prompts[index].options):
                scores = [found[index][each] for each in range(len(found[index]))]
                if not any(isinstance(each, ModelError) for each in scores):  # also if they are impossible together
                    held.difference_update(range(number - option, number - option + len(scores)))
                yield index, self._together(prompts[index], scores)

    def _asked(self, prompt: Prompt) -> dict[str, object]:
        return {"prompt": prompt.text}

    def _first_token_request(self, asked: int) -> dict[str, object]:
        return {"logprobs": asked}

    def _written(self, choice: Choice) -> str:
        text = choice.get("text")
        if not isinstance(text, str):
            raise self._server.refused("the server's answer holds no text", got=repr(choice)[:200])
        return text

    @property
    def _way(self) -> EchoWay:
        return WAYS[self._requests.echo or ECHO]

    def _scored(self, choice: Choice | ModelError, start: str, tail: str) -> EchoedScore | ModelError:
        if isinstance(choice, ModelError):
            return choice
        try:
            return score_of(self._way.read(choice), start, tail)
        except UnusableError as error:
            return self._unusable(error, start + tail)

    def _together(self, prompt: Prompt, scores: Sequence[EchoedScore | ModelError]) -> OptionScores | ModelError:
        """A prompt's scores, or the first error among its options."""
        scored: list[EchoedScore] = []
        for score in scores:
            if isinstance(score, ModelError):
                return score
            scored.append(score)
        try:
            return option_scores(prompt, scored)
        except UnusableError as error:
            return self._unusable(error, prompt.text)


def model_at(endpoint: str) -> type[ServedModel]:
    """The class for an endpoint by its name."""
    return ServedModel.by_endpoint[endpoint]
