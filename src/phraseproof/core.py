"""The nouns of phraseproof, declared once: frozen data and capabilities, no logic. Read this file first.

The flow in a line: *Task + Instruction -> Prompt -> Model -> Outcome -> Finding -> report.*
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from phraseproof.errors import ModelError


class Kind(StrEnum):
    """What form a task's answers take. The first three have options to choose from; the others are free text."""

    MULTIPLE_CHOICE = "multiple_choice"
    BINARY = "binary"
    MULTI_CLASS = "multi_class"
    SUMMARIZATION = "summarization"
    TRANSLATION = "translation"


class Relation(StrEnum):
    """How a wording stands to what a model was tuned on, or to the wording it was made from (paper, 3 and 4.5)."""

    OBSERVED = "observed"
    UNOBSERVED = "unobserved"
    PARAPHRASE = "paraphrase"
    CLOSEST = "closest"
    INCORRECT = "incorrect"
    NEGATED = "negated"
    TASK_DESIGNER = "task_designer"
    NONSENSICAL = "nonsensical"


# --------------------------------------------------------------------------------------------------------------- Task


@dataclass(frozen=True, slots=True)
class Example:
    """One question of a task.

    Attributes:
        id: unique within its task, stable from one load to the next.
        fields: what a template may name (`question`, `context`, ...).
        choices: the texts of the answer options, in order; empty for free-text kinds.
        option_scores: the credit for choosing each option, parallel to `choices`; usually one 1.0 and the rest 0.0.
        reference: the expected text of free-text kinds.
    """

    id: str
    fields: Mapping[str, Any]
    choices: tuple[str, ...] = ()
    option_scores: tuple[float, ...] = ()
    reference: str | None = None

    @property
    def target(self) -> int:
        """The index of the best option, the first of equals."""
        return self.option_scores.index(max(self.option_scores))


@dataclass(frozen=True, slots=True)
class Task:
    """Named examples with an answer space.

    Attributes:
        name: as users say it: `mmlu`, `mmlu/anatomy`, `bbl/winowhy`, or the name in a user's own file.
        kind: the form of the answers.
        category: the row of a summary table the task is averaged into (`MMLU`, `BBL-QA`, `BBL-BC`, `BBL-MC`, ...).
        examples: the questions that are scored.
        demonstrations: where few-shot demonstrations come from; when empty, from `examples` themselves.
        instructions: the task designer's own wordings, if the task's data brings any.
        source: where the data came from (a hub id and split, or a path), for the record.
        data: a hash of all the examples that were loaded, also where `examples` is only a sample of them.
    """

    name: str
    kind: Kind
    category: str
    examples: tuple[Example, ...]
    demonstrations: tuple[Example, ...] = ()
    instructions: tuple[Instruction, ...] = ()
    source: str = ""
    data: str | None = None


# -------------------------------------------------------------------------------------------------------- Instruction


@dataclass(frozen=True, slots=True)
class Instruction:
    """One wording, as data. Either `ask` (with or without `layout`) or `template` is set; all are Jinja templates.

    Attributes:
        id: unique within its collection.
        collection: the collection the wording belongs to.
        ask: what is asked; paraphrasing, negating and the Alpaca format's sections need it apart from the example.
        layout: how one example is laid out.
        template: ask and example in one, where they cannot be told apart.
        ask_last: the ask follows the layout instead of preceding it.
        separator: what stands between ask and layout.
        answer: the verbalizer, a Jinja template that writes one option as an answer; it sees `choice`, `index`,
            `letter`, and the example's fields. `{{ letter }}` scores letters, `{{ choice }}` scores texts.
        target_delimiter: the text between the prompt and an answer; `None` leaves it to the prompt format (one space,
            or nothing after a chat template).
        serves: names of tasks, categories or kinds that the wording is for; empty means any.
        fallback: it serves only tasks for which its collection has no other wording.
        relation, author, source, licence: provenance.
        origin: `file:line` where the wording was read, for error messages; not part of what the wording is.
    """

    id: str
    collection: str
    ask: str | None = None
    layout: str | None = None
    template: str | None = None
    ask_last: bool = False
    separator: str = "\n\n"
    answer: str = "{{ letter }}"
    target_delimiter: str | None = None
    serves: tuple[str, ...] = ()
    fallback: bool = False
    relation: Relation | None = None
    author: str | None = None
    source: str | None = None
    licence: str | None = None
    origin: str | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        """The wording's name in a run: `collection/id`."""
        return f"{self.collection}/{self.id}"


# ------------------------------------------------------------------------------------------------------------- Prompt


@dataclass(frozen=True, slots=True)
class Prompt:
    """One example dressed in one instruction, ready for a model.

    Attributes:
        text: everything the model reads before the answer.
        options: the answers that are scored, in the order of the example's choices; empty for free text.
        target_delimiter: the text between `text` and an option.
        has_special_tokens: `text` already holds the tokenizer's special tokens (a chat template wrote them), so the
            tokenizer must not add them again.
    """

    text: str
    options: tuple[str, ...] = ()
    target_delimiter: str = " "
    has_special_tokens: bool = False


# -------------------------------------------------------------------------------------------------------------- Model


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Everything about a loaded model that can change a score.

    Attributes:
        name: as the user gave it.
        revision: the hub commit, or a hash of the folder's contents.
        architecture: the model class.
        dtype: the precision of the weights in use.
        adapter: a hash of the adapter's bytes, if one is active.
        settings: whatever else changes scores (maximum length, ...).
    """

    name: str
    revision: str
    architecture: str
    dtype: str = ""
    adapter: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict[str, str])


class OptionScores(NamedTuple):
    """What a model says of one prompt's options.

    Attributes:
        logprobs: one natural-log probability an option, in the prompt's order.
        prompt_tokens: tokens of the prompt.
        computed_tokens: tokens run through the model for this prompt and all its options, less those that were run for
            an earlier prompt of the same call; so their sum is what was computed.
        truncated: tokens cut from the left of the prompt because it did not fit the model's context.
        asked_tokens: tokens that one pass per option would have run: prompt and option tokens, summed over options.
        option_tokens: the number of tokens of each option; empty where the model does not report it.
    """

    logprobs: tuple[float, ...]
    prompt_tokens: int
    computed_tokens: int
    truncated: int = 0
    asked_tokens: int = 0
    option_tokens: tuple[int, ...] = ()


class TokenForecast(NamedTuple):
    """Tokens for a set of prompts: one pass an option (`asked`), and those that scoring computes (`unique`)."""

    asked: int
    unique: int


class Check(NamedTuple):
    """One line of a self-test."""

    name: str
    passed: bool
    detail: str


class ChatMessage(NamedTuple):
    """One turn of a chat prompt; `role` is `user` or `assistant`."""

    role: str
    content: str


class Model(Protocol):
    """Anything that can be evaluated. What it can do beyond being named is told by the capabilities below."""

    @property
    def identity(self) -> ModelIdentity:
        """What is loaded, in full."""
        ...


@runtime_checkable
class ScoresOptions(Protocol):
    """Gives log-probabilities of answer options. It owns batching and order: hand it as many prompts as there are."""

    def score_options(
        self, prompts: Sequence[Prompt], *, method: str = "loglikelihood", on_done: Callable[[int], None] | None = None
    ) -> Sequence[OptionScores]:
        """Score every option of every prompt.

        Args:
            prompts: any number of prompts, each with at least one option.
            method: `loglikelihood` (sum over the option's tokens of log p(token | prompt, earlier option tokens)) or
                `paper` (product of the option tokens' probabilities along the model's own greedy run).
            on_done: called with the number of prompts finished since the last call.

        Returns:
            One `OptionScores` a prompt, in the order of `prompts`.
        """
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


@runtime_checkable
class RoundsOff(Protocol):
    """May compute in half precision, and can then be had in float32 to compare with."""

    def in_float32(self) -> ScoresOptions | None:
        """The same model in float32, whose weights are loaded when it first scores; `None` where it is that already."""
        ...


@runtime_checkable
class Represents(Protocol):
    """Gives what it makes of a prompt as a vector. It owns batching and order, as `ScoresOptions` does."""

    def represent(self, prompts: Sequence[Prompt], *, on_done: Callable[[int], None] | None = None) -> Any:
        """The hidden state of the penultimate layer at the first decoded token (paper, Figure 4 and Table 5).

        Args:
            prompts: any number of prompts; their options play no part.
            on_done: called with the number of prompts finished since the last call.

        Returns:
            A numpy array [prompts, width] of float32, in the order of `prompts`.
        """
        ...


@runtime_checkable
class ForecastsTokens(Protocol):
    """Can say what scoring would cost without doing it."""

    def forecast_tokens(self, prompts: Sequence[Prompt]) -> TokenForecast:
        """Count the tokens that scoring `prompts` would take."""
        ...


@runtime_checkable
class FormatsChat(Protocol):
    """May declare a chat template of its own."""

    @property
    def has_chat_template(self) -> bool:
        """Whether the model declares a chat template."""
        ...

    def format_chat(self, messages: Sequence[ChatMessage]) -> str:
        """The chat template's text for `messages`, ending where the assistant's answer begins."""
        ...


@runtime_checkable
class TestsItself(Protocol):
    """Can check that its own scores can be trusted."""

    def self_test(self, prompts: Sequence[Prompt]) -> list[Check]:
        """Run the checks on a few of the prompts that are about to be scored."""
        ...


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token of a free text is chosen.

    Attributes:
        temperature: 0 takes the likeliest token (greedy); above 0, tokens are drawn, the more freely the higher.
        top_p: draws only among the likeliest tokens that together have this probability (above 0, at most 1).
        seed: of the draws.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0


GREEDY = Sampling()
"""The likeliest token at every step."""


@runtime_checkable
class CountsParameters(Protocol):
    """Knows its own size."""

    @property
    def num_parameters(self) -> int:
        """How many parameters the model has, an adapter's not counted. May load the weights."""
        ...


@runtime_checkable
class Generates(Protocol):
    """Writes free text."""

    def generate(self, prompts: Sequence[Prompt], *, max_new_tokens: int, sampling: Sampling = GREEDY) -> list[str]:
        """Continuations, one a prompt, in the order of `prompts`; greedy ones unless `sampling` says otherwise."""
        ...


# --------------------------------------------------------------------------------------------------------------- Plan


@dataclass(frozen=True, slots=True)
class Cell:
    """One square of the grid: a task under a wording, with k demonstrations drawn by a seed.

    Attributes:
        identity: the hash of everything that can change the cell's numbers (identity.py).
        task, instruction: the names stored with every outcome.
        group: the group of wordings it is reported in (`observed`, `unobserved`, or any name).
        num_fewshot, fewshot_seed: demonstrations in the prompt, and the seed of their draw.
        num_examples: how many outcomes the cell holds when it is done.
        grid_examples: of a cell that holds only a share of its task's examples (`--budget`), how many the task has.
        scoring: the scorer that reads a choice from the model's scores (`phraseproof.scoring`).
        metric: the metric that `score` is in.
    """

    identity: str
    task: str
    category: str
    instruction: str
    group: str
    num_fewshot: int
    fewshot_seed: int
    num_examples: int
    grid_examples: int | None = None
    scoring: str = "loglikelihood"
    metric: str = "accuracy"


@dataclass(frozen=True, slots=True)
class Plan:
    """All cells of an evaluation of one model. Resuming is the plan minus what the store holds."""

    cells: tuple[Cell, ...]


# ------------------------------------------------------------------------------------------------------------ Outcome


@dataclass(frozen=True, slots=True)
class Outcome:
    """One stored row: what a model did with one prompt. Field names are column names that users query.

    Everything that later questions need is stored, so that another scorer or metric is applied without the model.

    Attributes:
        score: the metric's value for this example (accuracy: 0 or 1).
        options: the answer options that were scored, in order; empty for free text.
        option_logprobs: natural logs, parallel to `options`.
        option_tokens: the number of tokens of each option, parallel to `options`; empty where it is not known.
        option_credits: the task's credit for each option, parallel to `options`.
        predicted, target: indices into `options`; `None` for free text.
        text, reference: the generated and the expected text; `None` where there are options.
        prompt_tokens, computed_tokens: tokens of the prompt, and tokens that were run through the model for it.
        truncated_tokens: tokens cut from the left of a prompt that did not fit the model's context.
        prompt: the full prompt, when samples are logged.
    """

    example_id: str
    score: float
    options: tuple[str, ...] = ()
    option_logprobs: tuple[float, ...] = ()
    option_tokens: tuple[int, ...] = ()
    option_credits: tuple[float, ...] = ()
    predicted: int | None = None
    target: int | None = None
    text: str | None = None
    reference: str | None = None
    prompt_tokens: int = 0
    computed_tokens: int = 0
    truncated_tokens: int = 0
    prompt: str | None = None


# ------------------------------------------------------------------------------------------------------------ Finding


@dataclass(frozen=True, slots=True)
class Finding:
    """An estimate with what it rests on.

    Attributes:
        estimate: the value, in the unit its name says.
        n: how many observations it rests on.
        method: how it was computed.
        low, high: its interval, where the method gives one.
        p_value: where the method is a test.
        standard_error, degrees_of_freedom: of the t distribution that interval and p-value come from, where they do.
    """

    name: str
    estimate: float
    n: int
    method: str
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    standard_error: float | None = None
    degrees_of_freedom: float | None = None
