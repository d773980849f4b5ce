"""The common part of models behind both endpoints: requests, ways to read answers, trials, self-test."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from phraseproof.core import (
    GREEDY,
    Check,
    ChosenMethod,
    CutText,
    ModelIdentity,
    OptionScores,
    Prompt,
    Sampling,
)
from phraseproof.errors import ImpossibleScoreError, ModelError, UsageError
from phraseproof.models.openai.answer_store import AnswerStore
from phraseproof.models.openai.choosing import MOST_TOP_LOGPROBS, NO_TEMPLATE_HINT, Choosing
from phraseproof.models.openai.constraints import TEXT, constraint
from phraseproof.models.openai.echo_ways import ECHO
from phraseproof.models.openai.echoed_scores import ImpossibleError, UnusableError
from phraseproof.models.openai.first_token import first_token_scores
from phraseproof.models.openai.local_template import LocalTemplate
from phraseproof.models.openai.self_test import check_first_tokens, check_scores, check_texts
from phraseproof.models.openai.server import Choice, Server, ServerSettings
from phraseproof.models.openai.top_logprobs import FirstTokens, first_tokens
from phraseproof.models.stop_strings import before_stop
from phraseproof.models.streamed_scores import OnScores, collect_scores, require_options

_SHOWN_CHARACTERS = 60
_MAX_FAILURES_AT_FIRST = 8
"""If the first prompts, this many, all cannot be scored, the others are not tried."""


@dataclass(frozen=True)
class Requests:
    """How requests are made, beyond how the server is reached.

    Attributes:
        endpoint: the one that the user chose; `None` leaves it to trials.
        method: how options are scored; `None` if the model only writes.
        answer_format: how generated answers are constrained to the options; `None` leaves it to trials.
        top_logprobs: how many of the most probable first tokens are requested; `None` leaves it to trials.
        echo: how the log-probabilities of prompts are requested (`echo_ways.py`); `None` leaves it to trials.
        template: the chat template for completions, on this machine; `None` sends plain text.
        template_args: arguments of the server's chat template (`chat_template_kwargs`, which vLLM and others read).
    """

    endpoint: str | None = None
    method: str | None = None
    answer_format: str | None = None
    top_logprobs: int | None = None
    echo: str | None = None
    template: LocalTemplate | None = None
    template_args: Mapping[str, str | bool | int | float] | None = None


class ServedModel(ABC):
    """The common part of both endpoints. Subclasses define how a prompt is sent, and where the answer holds the text.

    Args:
        name: the name from the user, `openai/NAME`.
        settings: how the server is reached.
        requests: how requests are made.
        server: one that other models use, too: limits of requests and cost hold for all together.
    """

    by_endpoint: ClassVar[dict[str, type[ServedModel]]] = {}
    endpoint: ClassVar[str]
    path: ClassVar[str]
    methods: ClassVar[tuple[str, ...]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        ServedModel.by_endpoint[cls.endpoint] = cls

    def __init__(
        self, name: str, settings: ServerSettings, requests: Requests = Requests(), *, server: Server | None = None
    ) -> None:
        self._name = name
        self._server = server or Server(settings)
        self._requests = requests

    @property
    def identity(self) -> ModelIdentity:
        """Name, address, endpoint, and what of a request changes answers: all that is known of the model."""
        settings = {"base_url": self._server.settings.base_url, "endpoint": self.endpoint}
        if self._requests.method in (None, "loglikelihood") and self._requests.echo not in (None, ECHO):
            settings["echo"] = self._requests.echo
        if self._requests.method == "first_token":
            settings["top_logprobs"] = str(self._top_logprobs)
        if self._requests.method == "generate":
            settings["answer_format"] = self._answer_format
        if self.endpoint == "completions" and self._requests.template is not None:
            return ModelIdentity(self._name, "unknown", "unknown", settings=settings | self._requests.template.settings)
        if self._requests.template_args:
            settings["chat_template_args"] = json.dumps(self._requests.template_args, sort_keys=True)
        return ModelIdentity(name=self._name, revision="unknown", architecture="unknown", settings=settings)

    # ---------------------------------------------------------------------------------------------------- writing

    def generate(self, prompts: Sequence[Prompt], *, max_new_tokens: int, sampling: Sampling = GREEDY) -> list[str]:
        """Write one text per prompt, without white space at its ends. Servers may ignore the seed.

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
        if self._server.settings.is_batched:
            raise UsageError(
                "the batch API is for the answers of evaluations",
                where="--model-arg batch_api",
                hint="Leave it out to generate texts",
            )
        bodies = [{**self._writing(max_new_tokens, sampling), **self._asked(prompt)} for prompt in prompts]
        for index, choice in self._server.post_all(self.path, bodies):
            if isinstance(choice, ModelError):
                raise choice
            yield index, self._text(choice)

    def write_answers(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        samplings: Sequence[Sampling],
        on_scores: OnScores,
        stop: Sequence[str] = (),
    ) -> None:
        """Write one answer per prompt, constrained to its options where the server follows that.

        Stop strings are sent, and answers of servers that ignore them are cut here. `top_k` is sent where it is on: a
        server that does not know it refuses, or ignores it.

        An answer that cannot be used fails only its own prompt. An answer that is nothing but thoughts is empty.

        Raises:
            ModelError: the server cannot be reached or refuses.
        """
        bodies = [
            {
                **self._writing(max_new_tokens, sampling),
                **({"stop": list(stop)} if stop else {}),
                **constraint(self._answer_format, prompt.options),
                **self._asked(prompt),
            }
            for prompt, sampling in zip(prompts, samplings, strict=True)
        ]
        for index, choice in self._server.post_all(self.path, bodies):
            on_scores(index, self._answer(choice, stop))

    def _answer(self, choice: Choice | ModelError, stop: Sequence[str]) -> OptionScores | ModelError:
        if isinstance(choice, ModelError):
            return choice
        try:
            text = before_stop(self._text(choice), stop)
        except ModelError as error:
            return error
        return OptionScores((), prompt_tokens=0, computed_tokens=0, text=text)

    def _text(self, choice: Choice) -> str:
        text = self._written(choice).strip()
        return CutText(text) if choice.get("finish_reason") == "length" else text

    def _writing(self, max_new_tokens: int, sampling: Sampling) -> dict[str, object]:
        return {
            "model": self._model,
            "max_tokens": max_new_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": sampling.seed,
            **({"top_k": sampling.top_k} if sampling.top_k else {}),
        }

    @property
    def _answer_format(self) -> str:
        return self._requests.answer_format or TEXT

    def keeping_answers(self, path: Path, say: Callable[[str], None]) -> AbstractContextManager[AnswerStore]:
        """Keep every answer in a file within the block, from the moment in which it comes, and request none twice."""
        return self._server.keeping_answers(path, say)

    @property
    def answers_together(self) -> bool:
        """Whether all prompts of a run are best handed over in one call: the batch API answers within hours."""
        return self._server.settings.is_batched

    @property
    def waits_for(self) -> str:
        """What the server still computes when this process ends; empty for nothing."""
        return self._server.waits_for

    # ---------------------------------------------------------------------------------------------------- scoring

    def choose_method(self, method: str | None, options: Sequence[tuple[str, ...]]) -> ChosenMethod:
        """The method to score by, found by trials, and the model that is set up for it (`choosing.py`)."""
        asked = self._requests

        def set_up(endpoint: str, method: str, **changes: str | int | None) -> ServedModel:
            requests = replace(asked, endpoint=endpoint, method=method, **changes)
            return self.by_endpoint[endpoint](self._name, self._server.settings, requests, server=self._server)

        choosing = Choosing(set_up, asked.endpoint, asked.top_logprobs, asked.answer_format, asked.echo)
        found = choosing.choose(method, options)
        if found.model.identity.settings["endpoint"] == "chat" or asked.template is not None:
            return found
        return found._replace(
            notes=(*found.notes, f"PROMPTS ARE PLAIN TEXT, without a chat template. {NO_TEMPLATE_HINT}")
        )

    def score_options(
        self, prompts: Sequence[Prompt], *, method: str = "loglikelihood", on_done: Callable[[int], None] | None = None
    ) -> list[OptionScores]:
        """Score every option of every prompt.

        Raises:
            ModelError: as `stream_scores`, or an answer cannot be used.
        """
        found: list[OptionScores] = []
        return collect_scores(self.stream_scores, prompts, found, method=method, on_done=on_done)

    def stream_scores(self, prompts: Sequence[Prompt], *, method: str = "loglikelihood", on_scores: OnScores) -> None:
        """Score as `score_options` does, and report each prompt when it is answered.

        An answer that cannot be used fails only its own prompt; the other requests continue.

        Raises:
            ModelError: the server cannot be reached, refuses, or gives nothing that can be used; or the endpoint has no
                such method.
        """
        if method not in self.methods:
            raise ModelError(
                f"a server's endpoint {self.endpoint} cannot score by the method '{method}'",
                expected=f"one of: {', '.join(self.methods)}",
            )
        require_options(prompts)
        failed, succeeded = 0, False
        for index, scores in self._scores(prompts, method):
            on_scores(index, scores)
            succeeded = succeeded or not isinstance(scores, ModelError)
            failed += isinstance(scores, ModelError)
            is_hopeless = not succeeded and failed >= _MAX_FAILURES_AT_FIRST and not self._server.is_batching
            if isinstance(scores, ModelError) and is_hopeless:
                raise scores

    def first_tokens(
        self, prompts: Sequence[Prompt], *, most: int | None = None
    ) -> Iterator[tuple[int, FirstTokens | ModelError]]:
        """The most probable first tokens of every prompt's answer, each on arrival; `most` of them, if given.

        Raises:
            ModelError: the server cannot be reached or refuses.
        """
        asked = most or self._top_logprobs
        # Servers that apply temperature before they report probabilities must not change them: so it is 1.
        settings = {"model": self._model, "max_tokens": 1, "temperature": 1.0, "top_p": 1.0}
        bodies = [{**settings, **self._first_token_request(asked), **self._asked(prompt)} for prompt in prompts]
        for index, choice in self._server.post_all(self.path, bodies):
            if isinstance(choice, ModelError):
                yield index, choice
                continue
            try:
                yield index, first_tokens(choice, asked)
            except UnusableError as error:
                yield index, self._unusable(error, prompts[index].text)

    def self_test(self, prompts: Sequence[Prompt]) -> list[Check]:
        """Whether the server's log-probabilities can be read, and whether it gives the same ones when asked again.

        Raises:
            ModelError: the server cannot be reached or refuses.
        """
        method = self._requests.method or self.methods[0]
        if method == "generate":
            return check_texts(self, prompts)
        return check_first_tokens(self, prompts) if method == "first_token" else check_scores(self, prompts)

    def _scores(self, prompts: Sequence[Prompt], method: str) -> Iterator[tuple[int, OptionScores | ModelError]]:
        """Index and scores of every prompt, each on arrival. The methods that a subclass adds are its own."""
        assert method == "first_token", "checked"
        for index, found in self.first_tokens(prompts):
            scores = found if isinstance(found, ModelError) else first_token_scores(prompts[index].options, found)
            yield index, scores

    @property
    def _top_logprobs(self) -> int:
        return self._requests.top_logprobs or MOST_TOP_LOGPROBS[0]

    def _unusable(self, error: UnusableError, request: str) -> ModelError:
        hint = error.hint or f"The request ends in {request[-_SHOWN_CHARACTERS:]!r}"
        refused = self._server.refused(str(error), hint=hint)
        if isinstance(error, ImpossibleError):
            hint = f"{hint}. No number of this server can be trusted; --scoring generate reads texts instead"
            return ImpossibleScoreError(refused.problem, where=refused.where, hint=hint)
        return refused

    @property
    def _model(self) -> str:
        return self._name.partition("/")[2]

    @abstractmethod
    def _asked(self, prompt: Prompt) -> dict[str, object]:
        """The part of a request that holds the prompt."""

    @abstractmethod
    def _first_token_request(self, asked: int) -> dict[str, object]:
        """The part of a request that asks for the most probable first tokens."""

    @abstractmethod
    def _written(self, choice: Choice) -> str:
        """The text of an answer."""
