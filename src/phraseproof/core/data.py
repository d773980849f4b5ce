"""The data of an evaluation, declared once as frozen types without logic: tasks, wordings, cells and outcomes.

What models receive and return is in `model_io.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Protocol

from phraseproof.identity import OMITTED_AT_DEFAULT


class Kind(StrEnum):
    """The form of a task's answers. The first three kinds have options to choose from; the others are free text."""

    MULTIPLE_CHOICE = "multiple_choice"
    BINARY = "binary"
    MULTI_CLASS = "multi_class"
    SUMMARIZATION = "summarization"
    TRANSLATION = "translation"
    FREE_TEXT = "free_text"

    @property
    def has_options(self) -> bool:
        """Whether answers are chosen among options; otherwise they are free texts."""
        return self in (Kind.MULTIPLE_CHOICE, Kind.BINARY, Kind.MULTI_CLASS)


class Relation(StrEnum):
    """How a wording relates to those a model was tuned on, or to the wording it was made from (paper, 3 and 4.5)."""

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
        other_references: more texts that are as good as `reference`.
    """

    id: str
    fields: Mapping[str, Any]
    choices: tuple[str, ...] = ()
    option_scores: tuple[float, ...] = ()
    reference: str | None = None
    other_references: tuple[str, ...] = field(default=(), metadata=OMITTED_AT_DEFAULT)

    @property
    def references(self) -> tuple[str, ...]:
        """All expected texts; empty for kinds with options."""
        return () if self.reference is None else (self.reference, *self.other_references)

    @property
    def target(self) -> int:
        """The index of the best option, the first one if several are equal."""
        return self.option_scores.index(max(self.option_scores))


@dataclass(frozen=True, slots=True)
class AnswerRules:
    """How a task's designer has answers generated and scored. What the user names takes precedence.

    Attributes:
        metric: the metric's name; `None` leaves it to the task's kind.
        stop: texts that end a generated answer.
        max_new_tokens: of a generated answer; `None` leaves it to the lengths of the references.
        details: what the metric must know of the task, as plain data.
    """

    metric: str | None = None
    stop: tuple[str, ...] = ()
    max_new_tokens: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])


class DrawsDemonstrations(Protocol):
    """A task's own rule for the demonstrations of its examples. It can be pickled."""

    @property
    def identity(self) -> str:
        """A hash of everything that can change a draw but `Task.demonstrations`."""
        ...

    @property
    def leaves_out_tested(self) -> bool:
        """Whether the tested example is never shown where the pool holds it."""
        ...

    def serves(self, task: Task) -> bool:
        """Whether the rule is for the task's demonstrations: not where others have replaced them."""
        ...

    def draw(self, task: Task, example: Example, num_fewshot: int, seed: int) -> tuple[Example, ...]:
        """The demonstrations shown before an example, in order.

        Raises:
            TaskError: there are too few.
        """
        ...


@dataclass(frozen=True, slots=True)
class Task:
    """Named examples with an answer space.

    Attributes:
        name: as users write it: `mmlu`, `mmlu/anatomy`, `bbl/winowhy`, or the name in a user's own file.
        kind: the form of the answers.
        category: the row of a summary table the task is averaged into (`MMLU`, `BBL-QA`, `BBL-BC`, `BBL-MC`, ...).
        examples: the questions that are scored.
        demonstrations: where few-shot demonstrations come from; when empty, from `examples` themselves.
        instructions: the task designer's own wordings, if the task's data brings any.
        source: where the data came from (a hub id and split, or a path), for the record.
        data: a hash of all the examples that were loaded, also where `examples` is only a sample of them.
        answers: how its designer has answers generated and scored, if the task's data say so.
        draws: its designer's rule for demonstrations; `None` draws them by a hash (`instructions/render.py`).
    """

    name: str
    kind: Kind
    category: str
    examples: tuple[Example, ...]
    demonstrations: tuple[Example, ...] = ()
    instructions: tuple[Instruction, ...] = ()
    source: str = ""
    data: str | None = None
    answers: AnswerRules = AnswerRules()
    draws: DrawsDemonstrations | None = None


# -------------------------------------------------------------------------------------------------------- Instruction


@dataclass(frozen=True, slots=True)
class Instruction:
    """One wording, as data. Either `ask` (with or without `layout`) or `template` is set; all are Jinja templates.

    Attributes:
        id: unique within its collection.
        collection: the collection the wording belongs to.
        ask: what is asked; paraphrasing, negating and the Alpaca format's sections need it separately from the example.
        layout: how one example is laid out.
        template: ask and example in one, where they cannot be separated.
        ask_last: the ask follows the layout instead of preceding it.
        separator: the text between ask and layout.
        system: the system prompt, a Jinja template: the first message of a chat, or a paragraph before everything else.
        answer: the verbalizer, a Jinja template that writes one option as an answer; it sees `choice`, `index`,
            `letter`, and the example's fields. `{{ letter }}` scores letters, `{{ choice }}` scores texts.
        target_delimiter: the text between the prompt and an answer; `None` leaves it to the prompt format (one space,
            or nothing after a chat template).
        continuation: the text that is scored after the prompt, a Jinja template. The options are then in the prompt:
            layout (or template) is rendered for each of them, and knows `choice`, `index` and `letter`.
        fewshot_delimiter: the text between two examples of a few-shot prompt; `None` is an empty line. Chat templates
            have turns instead.
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
    system: str | None = None
    answer: str = "{{ letter }}"
    target_delimiter: str | None = None
    continuation: str | None = None
    fewshot_delimiter: str | None = None
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


# --------------------------------------------------------------------------------------------------------------- Cell


@dataclass(frozen=True, slots=True)
class Cell:
    """One square of the grid: a task under a wording, with k demonstrations drawn by a seed.

    Attributes:
        identity: the hash of everything that can change the cell's numbers (identity.py).
        task: the task's name.
        category: of the task: the row of a summary table that it is averaged into.
        instruction: the wording's name, `collection/id`.
        group: the group of wordings it is reported in (`observed`, `unobserved`, or any name).
        num_fewshot: the number of demonstrations in the prompt.
        fewshot_seed: the seed of their draw.
        num_examples: how many outcomes the cell holds when it is complete.
        grid_examples: of a cell that holds only a share of its task's examples (`--budget`), how many the task has.
        scoring: the scorer that reads a choice from the model's scores (`phraseproof.scoring`).
        metric: the metric that `score` is in.
        repeat: the number of the repeat, from 0, where answers are generated several times.
        option_order: the number of the order in which the prompts list the options; 0 is the task's own
            (`instructions/option_order.py`). Outcomes hold options in the task's own order whatever it is.
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
    repeat: int = 0
    option_order: int = 0


# ------------------------------------------------------------------------------------------------------------ Outcome


@dataclass(frozen=True, slots=True)
class Outcome:
    """One stored row: what a model did with one prompt. Field names are column names that users query.

    Everything that later questions need is stored, so that another scorer or metric is applied without the model.

    Attributes:
        example_id: the example's id in its task.
        score: the metric's value for this example (accuracy: 0 or 1).
        options: the answer options that were scored, in order; empty for free text.
        option_logprobs: natural logs, parallel to `options`.
        option_tokens: the number of tokens of each option, parallel to `options`; empty where it is not known.
        option_credits: the task's credit for each option, parallel to `options`.
        option_upper_logprobs: upper bounds, parallel to `options`, where `option_logprobs` are lower ones; else empty.
        predicted: the index of the chosen option, from 0; `None` for free text, and for an unread answer: none of the
            options was found in what the model wrote.
        target: the index of the right option, from 0; `None` for free text.
        is_open: whether another option may be the most probable one, within the bounds; `None` where values are exact.
        text: the generated text (or its beginning), where the answer was read from it.
        reference: the expected text; `None` where there are options.
        other_references: more expected texts that are as good as `reference`.
        is_cut: whether `text` ended at the maximum number of tokens; `None` where it is not known.
        statistics: of a corpus metric, whose value for many examples is computed from sums of these; else empty.
        prompt_tokens: the number of tokens of the prompt.
        computed_tokens: the number of tokens that were run through the model for it.
        truncated_tokens: tokens cut from the left of a prompt that did not fit the model's context.
        prompt: the full prompt, when samples are logged.
    """

    example_id: str
    score: float
    options: tuple[str, ...] = ()
    option_logprobs: tuple[float, ...] = ()
    option_tokens: tuple[int, ...] = ()
    option_credits: tuple[float, ...] = ()
    option_upper_logprobs: tuple[float, ...] = ()
    predicted: int | None = None
    target: int | None = None
    is_open: bool | None = None
    text: str | None = None
    reference: str | None = None
    other_references: tuple[str, ...] = ()
    is_cut: bool | None = None
    statistics: tuple[float, ...] = ()
    prompt_tokens: int = 0
    computed_tokens: int = 0
    truncated_tokens: int = 0
    prompt: str | None = None

    @property
    def references(self) -> tuple[str, ...]:
        """All expected texts; empty where there are options."""
        return () if self.reference is None else (self.reference, *self.other_references)


# ------------------------------------------------------------------------------------------------------------ Finding


@dataclass(frozen=True, slots=True)
class Finding:
    """An estimate and its basis.

    Attributes:
        estimate: the value, in the unit that its name states.
        n: the number of observations.
        method: how it was computed.
        low, high: its confidence interval, if the method gives one.
        p_value: if the method is a test.
        standard_error, degrees_of_freedom: of the t distribution behind interval and p-value, if there is one.
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

    @property
    def negated(self) -> Finding:
        """A difference the other way round, with its interval."""
        low, high = self.low, self.high
        return replace(
            self,
            estimate=-self.estimate,
            low=None if high is None else -high,
            high=None if low is None else -low,
        )
