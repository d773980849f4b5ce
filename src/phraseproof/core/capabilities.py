"""What models can do, as Protocols: code asks a model for a capability, never for its type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from phraseproof.core.model_io import (
    GREEDY,
    ChatMessage,
    Check,
    ModelIdentity,
    OptionScores,
    Prompt,
    Sampling,
    TokenForecast,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from phraseproof.errors import ModelError


class Model(Protocol):
    """Anything that can be evaluated. What else it can do is declared by the capabilities below."""

    @property
    def identity(self) -> ModelIdentity:
        """What is loaded, in full."""
        ...


@runtime_checkable
class ScoresOptions(Protocol):
    """Gives log-probabilities of answer options. It owns batching and order: pass all prompts at once."""

    def score_options(
        self, prompts: Sequence[Prompt], *, method: str = "loglikelihood", on_done: Callable[[int], None] | None = None
    ) -> Sequence[OptionScores]:
        """Score every option of every prompt.

        Args:
            prompts: any number of prompts, each with at least one option.
            method: `loglikelihood` (sum over the option's tokens of log p(token | prompt, earlier option tokens)),
                `paper` (product of the option tokens' probabilities along the model's own greedy decoding), or
                `first_token` (probability that the answer's first token is the option).
            on_done: called with the number of prompts finished since the last call.

        Returns:
            One `OptionScores` per prompt, in the order of `prompts`.
        """
        ...


@runtime_checkable
class ScoresAlternatives(Protocol):
    """Its `score_options` also compares one text after several prompts (`Prompt.alternatives`)."""

    @property
    def scores_alternatives(self) -> bool:
        """Always true."""
        ...


@runtime_checkable
class StreamsScores(Protocol):
    """Hands over the scores of each prompt as soon as they are known, so that a stopped run keeps them."""

    def stream_scores(
        self,
        prompts: Sequence[Prompt],
        *,
        method: str = "loglikelihood",
        on_scores: Callable[[int, OptionScores | ModelError], None],
    ) -> None:
        """Score every option of every prompt, with the numbers of `ScoresOptions.score_options`.

        Args:
            prompts: any number of prompts, each with at least one option.
            method: as for `score_options`.
            on_scores: called once per prompt with its index and its scores, in any order. A prompt that fails by itself
                (a server's answer that cannot be used) gives its error instead, and the others go on.

        Raises:
            ModelError: nothing more can be scored. What was handed over before is valid.
        """
        ...


class ChosenMethod(NamedTuple):
    """How a model's answers are going to be read.

    Attributes:
        method: as for `ScoresOptions.score_options`.
        model: the model that gives answers in this way.
        notes: one line each: why this method, and what was assumed.
    """

    method: str
    model: Model
    notes: tuple[str, ...] = ()


@runtime_checkable
class ChoosesMethod(Protocol):
    """Finds out by trials in which way its answers can be read, because that depends on a server."""

    def choose_method(self, method: str | None, options: Sequence[tuple[str, ...]]) -> ChosenMethod:
        """The method to use, and the model that is set up for it.

        Args:
            method: the one that was asked for; `None` chooses the most exact one that works.
            options: the options of some of the prompts that are going to be scored; none where answers are free texts.

        Raises:
            ModelError: none works.
        """
        ...


@runtime_checkable
class OffersFloat32(Protocol):
    """May compute in half precision, and can then be loaded in float32 to compare with."""

    def in_float32(self) -> ScoresOptions | None:
        """The same model in float32, its weights loaded when it first scores; `None` if it computes in float32."""
        ...


@runtime_checkable
class WarnsOfPrecision(Protocol):
    """Knows whether its precision is slow where it computes."""

    def precision_warning(self) -> str | None:
        """One line to warn with before scoring, or `None`. Does not load the weights."""
        ...


PENULTIMATE = -2
"""The layer that is read by default: the input of the last block."""


@runtime_checkable
class Represents(Protocol):
    """Gives its representation of a prompt as a vector. It owns batching and order, as `ScoresOptions` does."""

    def count_layers(self) -> int:
        """How many layers can be read: the embeddings, and the output of every block. May load the weights."""
        ...

    def represent(
        self, prompts: Sequence[Prompt], *, layer: int = PENULTIMATE, on_done: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """The hidden state of a layer at the first decoded token (paper, Figure 4 and Table 5).

        Args:
            prompts: any number of prompts; their options are not used.
            layer: 0 for the embeddings, 1 for the output of the first block; negative numbers count from the last one,
                which is normalised in most architectures. The default is the penultimate, as the paper's text says.
            on_done: called with the number of prompts finished since the last call.

        Returns:
            [prompts, width], in the order of `prompts`.
        """
        ...


@runtime_checkable
class ForecastsTokens(Protocol):
    """Can forecast what scoring would cost."""

    def forecast_tokens(self, prompts: Sequence[Prompt]) -> TokenForecast:
        """Count the tokens that scoring `prompts` would run through the model."""
        ...


@runtime_checkable
class CountsTokens(Protocol):
    """Counts the tokens of prompts with its own tokenizer."""

    def count_tokens(self, prompts: Sequence[Prompt]) -> list[int]:
        """The number of tokens of each prompt as the model reads it, options left out. Does not load the weights."""
        ...


@runtime_checkable
class ReportsSize(Protocol):
    """Reports the size of its weights."""

    @property
    def weight_bytes(self) -> int | None:
        """The size of the files that hold the weights; `None` where it is not known before loading."""
        ...


@runtime_checkable
class RunsOnDevice(Protocol):
    """Computes in this process or on this machine, on devices that torch knows."""

    @property
    def device(self) -> str:
        """The device as torch names it, or several separated by commas. Does not load the weights."""
        ...


@runtime_checkable
class FormatsChat(Protocol):
    """May declare its own chat template."""

    @property
    def has_chat_template(self) -> bool:
        """Whether the model declares a chat template."""
        ...

    def format_chat(self, messages: Sequence[ChatMessage]) -> str:
        """The chat template's text for `messages`, ending where the assistant's answer begins."""
        ...


@runtime_checkable
class ChecksAnswerPosition(Protocol):
    """Reports whether its chat template lets it write other text, such as a thought, before the answer."""

    def require_answer_position(self) -> None:
        """Check that a chat prompt ends where the answer begins.

        Raises:
            ModelError: the model would first write other text, and no option says what to do then.
        """
        ...


@runtime_checkable
class TestsItself(Protocol):
    """Can check that its own scores can be trusted."""

    def self_test(self, prompts: Sequence[Prompt]) -> list[Check]:
        """Run the checks on a few of the prompts that are about to be scored."""
        ...


@runtime_checkable
class CountsParameters(Protocol):
    """Reports its number of parameters."""

    @property
    def num_parameters(self) -> int:
        """The number of the model's parameters, without an adapter's. May load the weights."""
        ...


@runtime_checkable
class WritesAnswers(Protocol):
    """Writes answers to prompts, and hands over each one as soon as it is complete."""

    def write_answers(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        samplings: Sequence[Sampling],
        on_scores: Callable[[int, OptionScores | ModelError], None],
        stop: Sequence[str] = (),
    ) -> None:
        """Write one answer per prompt; the model may be made to write nothing but one of the options.

        A text that ends at the maximum number of tokens is a `CutText`.

        Args:
            prompts: any number of prompts.
            max_new_tokens: the maximum number of tokens per answer.
            samplings: how tokens are chosen, for each prompt.
            stop: an answer ends before the first of these texts in it.
            on_scores: called once per prompt with its index and `OptionScores` that hold the text, in any order. A
                prompt that fails by itself gives its error.

        Raises:
            ModelError: nothing more can be answered. What was handed over before is valid.
        """
        ...


@runtime_checkable
class Generates(Protocol):
    """Writes free text."""

    def generate(self, prompts: Sequence[Prompt], *, max_new_tokens: int, sampling: Sampling = GREEDY) -> list[str]:
        """One continuation per prompt, in the order of `prompts`; greedy unless `sampling` says otherwise."""
        ...
