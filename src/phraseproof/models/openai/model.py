"""Models behind an HTTP server that speaks OpenAI's protocol: vLLM, llama.cpp, transformers serve, hosted ones.

`openai/NAME` with `--model-arg base_url=http://localhost:8000/v1`. Two endpoints of the protocol are supported:

* `chat` (default) writes free text; the server applies its own chat template.
* `completions` continues the prompt unchanged, and scores options if the server returns the log-probabilities of the
  prompt (`echo` with `logprobs`: vLLM does, most hosted services do not).

The server does not report weights, revision or precision, so they are not part of the model's identity.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar, cast
from urllib.parse import urlsplit

from phraseproof.core import GREEDY, Check, CutText, ModelIdentity, OptionScores, Prompt, Sampling
from phraseproof.errors import ModelError, UsageError
from phraseproof.models.openai.echoed_scores import (
    EchoedScore,
    UnusableError,
    option_scores,
    request_text,
    score_of,
)
from phraseproof.models.openai.echoed_tokens import MAX_GENERATED
from phraseproof.models.openai.self_test import self_test
from phraseproof.models.openai.server import DEFAULT_BASE_URL, DEFAULT_KEY_VARIABLE, Choice, Server, ServerSettings
from phraseproof.models.options import ModelOptions, check_argument_names, positive_int

_KNOWN_ARGS = ("api_key_env", "base_url", "concurrency", "endpoint", "retries", "timeout_s")
_ENDPOINTS = {"chat": "/chat/completions", "completions": "/completions"}
_SHOWN_CHARACTERS = 60
_MAX_FAILURES_AT_FIRST = 8
"""When so many prompts could not be scored and none could, the others are not tried."""


class ServedModel(ABC):
    """The common part of both endpoints. Subclasses define how a prompt is sent, and where the answer holds the text.

    Args:
        name: the name from the user, `openai/NAME`.
        settings: how the server is reached.
    """

    endpoint: ClassVar[str]

    def __init__(self, name: str, settings: ServerSettings) -> None:
        self._name = name
        self._server = Server(settings)

    @property
    def identity(self) -> ModelIdentity:
        """Name, address and endpoint: all that is known of the model."""
        return ModelIdentity(
            name=self._name,
            revision="unknown",
            architecture="unknown",
            settings={"base_url": self._server.settings.base_url, "endpoint": self.endpoint},
        )

    def generate(self, prompts: Sequence[Prompt], *, max_new_tokens: int, sampling: Sampling = GREEDY) -> list[str]:
        """Write one text per prompt, without white space at its ends. Servers need not follow the seed.

        Raises:
            ModelError: the server cannot be reached, refuses, or does not keep to the protocol.
        """
        texts = [""] * len(prompts)
        for index, text in self.generate_each(prompts, max_new_tokens=max_new_tokens, sampling=sampling):
            texts[index] = text
        return texts

    def generate_each(
        self, prompts: Sequence[Prompt], *, max_new_tokens: int, sampling: Sampling = GREEDY
    ) -> Iterator[tuple[int, str]]:
        """Yield the texts of `generate` with their prompts' indices, each on arrival, so that none is lost."""
        settings = {
            "model": self._model,
            "max_tokens": max_new_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": sampling.seed,
        }
        bodies = [{**settings, **self._asked(prompt)} for prompt in prompts]
        for index, choice in self._server.post_all(_ENDPOINTS[self.endpoint], bodies):
            if isinstance(choice, ModelError):
                raise choice
            text = self._written(choice).strip()
            yield index, CutText(text) if choice.get("finish_reason") == "length" else text

    @property
    def _model(self) -> str:
        return self._name.partition("/")[2]

    @abstractmethod
    def _asked(self, prompt: Prompt) -> dict[str, object]:
        """The part of a request that holds the prompt."""

    @abstractmethod
    def _written(self, choice: Choice) -> str:
        """The text of an answer."""


class ChatModel(ServedModel):
    """A model that answers chat messages. It writes text and cannot score options."""

    endpoint = "chat"

    def _asked(self, prompt: Prompt) -> dict[str, object]:
        return {"messages": [{"role": "user", "content": prompt.text}]}

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

    def score_options(
        self, prompts: Sequence[Prompt], *, method: str = "loglikelihood", on_done: Callable[[int], None] | None = None
    ) -> list[OptionScores]:
        """Score every option with one request: prompt and option as one text, whose log-probabilities are returned.

        Prompt and option are joined by the rule of lm-evaluation-harness, as for decoder-only models here. The texts of
        the tokens show which of them belong to the option.

        Raises:
            ModelError: the server sends no log-probabilities of the prompt, or impossible ones; its tokens do not spell
                the prompt, or leave open which of them are the option's; or another method than `loglikelihood`.
        """
        found: dict[int, OptionScores] = {}

        def keep(index: int, scores: OptionScores | ModelError) -> None:
            if isinstance(scores, ModelError):
                raise scores
            found[index] = scores
            if on_done is not None:
                on_done(1)

        self.stream_scores(prompts, method=method, on_scores=keep)
        return [found[index] for index in range(len(prompts))]

    def stream_scores(
        self,
        prompts: Sequence[Prompt],
        *,
        method: str = "loglikelihood",
        on_scores: Callable[[int, OptionScores | ModelError], None],
    ) -> None:
        """Score as `score_options` does, and report each prompt when the last of its options is answered.

        An answer that cannot be used fails only its own prompt; the other requests continue.

        Raises:
            ModelError: the server cannot be reached or refuses, or another method than `loglikelihood`.
        """
        if method != "loglikelihood":
            raise ModelError(f"a server cannot score by the method '{method}'", expected="loglikelihood")
        for prompt in prompts:
            if not prompt.options:
                raise ModelError("a prompt without options cannot be scored", got=repr(prompt.text[-60:]))
        settings = {
            "model": self._model,
            "max_tokens": MAX_GENERATED,
            "temperature": 0.0,
            "logprobs": 1,
            "echo": True,
        }
        texts = [request_text(prompt, option) for prompt in prompts for option in prompt.options]
        places = [(index, option) for index, prompt in enumerate(prompts) for option in range(len(prompt.options))]
        found: list[dict[int, EchoedScore | ModelError]] = [{} for _ in prompts]
        failed, succeeded = 0, False
        bodies = [{**settings, "prompt": start + tail} for start, tail in texts]
        for number, choice in self._server.post_all(_ENDPOINTS[self.endpoint], bodies):
            index, option = places[number]
            found[index][option] = self._scored(choice, *texts[number])
            if len(found[index]) < len(prompts[index].options):
                continue
            scores = self._together(prompts[index], [found[index][option] for option in range(len(found[index]))])
            on_scores(index, scores)
            succeeded = succeeded or not isinstance(scores, ModelError)
            failed += isinstance(scores, ModelError)
            if isinstance(scores, ModelError) and not succeeded and failed >= _MAX_FAILURES_AT_FIRST:
                raise scores

    def self_test(self, prompts: Sequence[Prompt]) -> list[Check]:
        """Whether the server's log-probabilities can be read, and whether it gives the same ones when asked again.

        Raises:
            ModelError: the server cannot be reached or refuses.
        """
        return self_test(self, prompts)

    def _asked(self, prompt: Prompt) -> dict[str, object]:
        return {"prompt": prompt.text}

    def _written(self, choice: Choice) -> str:
        text = choice.get("text")
        if not isinstance(text, str):
            raise self._server.refused("the server's answer holds no text", got=repr(choice)[:200])
        return text

    def _scored(self, choice: Choice | ModelError, start: str, tail: str) -> EchoedScore | ModelError:
        if isinstance(choice, ModelError):
            return choice
        try:
            return score_of(choice, start, tail)
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

    def _unusable(self, error: UnusableError, request: str) -> ModelError:
        hint = error.hint or f"The request ends in {request[-_SHOWN_CHARACTERS:]!r}"
        return self._server.refused(str(error), hint=hint)


def load(name: str, options: ModelOptions) -> ServedModel:
    """The provider behind `openai/NAME`.

    Raises:
        UsageError: an option that a model behind a server does not have, or an invalid address.
        MissingExtraError: httpx or tenacity is not installed.
    """
    check_argument_names(options.args, known=_KNOWN_ARGS, model=f"the model '{name}' behind a server")
    if not name.partition("/")[2]:
        raise UsageError("the model has no name", expected="openai/NAME, as the server calls it", where="--model")
    defaults = ModelOptions()
    fields = (
        "adapter",
        "revision",
        "dtype",
        "device",
        "max_length",
        "chat_template",
        "chat_template_args",
        "chat_date",
    )
    for field in fields:
        if getattr(options, field) != getattr(defaults, field):
            flag = f"--{field.removesuffix('s').replace('_', '-')}"
            raise UsageError(f"the server of '{name}' decides that by itself", where=flag, hint=f"Leave out {flag}")
    args = options.args
    endpoint = args.get("endpoint", "chat")
    if endpoint not in _ENDPOINTS:
        expected = f"one of: {', '.join(_ENDPOINTS)}"
        raise UsageError(f"unknown endpoint '{endpoint}'", expected=expected, where="--model-arg endpoint")
    plain = ServerSettings()
    settings = ServerSettings(
        base_url=_address(args.get("base_url") or os.environ.get("OPENAI_BASE_URL") or DEFAULT_BASE_URL),
        key_variable=args.get("api_key_env", DEFAULT_KEY_VARIABLE),
        timeout_s=positive_int(args["timeout_s"], name="timeout_s") if "timeout_s" in args else plain.timeout_s,
        retries=positive_int(args["retries"], name="retries") if "retries" in args else plain.retries,
        concurrency=positive_int(args["concurrency"], name="concurrency")
        if "concurrency" in args
        else options.batch_size or plain.concurrency,
    )
    return (ChatModel if endpoint == "chat" else CompletionsModel)(name, settings)


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
        secret = bool(parts.username or parts.password)
    except ValueError:
        usable = secret = False
    if secret:  # not repeated: it holds a password
        raise UsageError(
            "the server's address holds a user name or password",
            where="--model-arg base_url",
            hint=f"Put the key into the environment variable {DEFAULT_KEY_VARIABLE}, which is never stored",
        )
    if not usable:
        raise UsageError(
            "not an address of a server",
            expected="such as http://localhost:8000/v1",
            got=text,
            where="--model-arg base_url",
        )
    return text.rstrip("/")
