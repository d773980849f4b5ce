"""`EvaluationSpec`: all options of an evaluation, as one frozen value.

Every default of an evaluation is written here, and only here. `phraseproof.evaluate` takes its defaults from the
fields, `evaluate --config` reads the fields from YAML, `run.json` stores them, and the processes on other devices
receive them.

A spec is plain data. Models, tasks and collections that exist only as Python objects are named in it as `python:NAME`,
and `evaluation/request.py` keeps the objects.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    ValidationError,
    field_validator,
    model_validator,
)

from phraseproof.errors import UsageError
from phraseproof.evaluation.spec_types import (
    Folder,
    MetricNames,
    Names,
    Numbers,
    PromptFormat,
    SampleKind,
    Scorings,
    Share,
    Texts,
)
from phraseproof.instructions.reasoning import REASONING
from phraseproof.models.options import ModelOptions
from phraseproof.scoring.registry import metric, split_metrics, split_scorings
from phraseproof.scoring.scorer import AUTO
from phraseproof.scoring.text_readings import AUTO as READ_AUTO
from phraseproof.scoring.text_readings import text_reading

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_NUMBER = 2**31 - 1
"""The largest number of demonstrations and the largest seed of their draw: what a stored column holds."""

OPTION_TOKENS = 256
"""The maximum number of tokens of an answer that names an option, unless another one is given."""

REASONING_TOKENS = 1024
"""The same for a reasoning and its answer."""


class EvaluationSpec(BaseModel):
    """All options of an evaluation. Plain data: frozen, comparable, picklable, and JSON or YAML on paper.

    Raises:
        UsageError: a value is out of range or of another type. The error names the command line's option.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=(), title="Evaluation")

    model: str = Field(
        default="", description="A Hugging Face hub id, a model folder, openai/NAME, pocket or scripted."
    )
    model_options: ModelOptions = Field(
        default=ModelOptions(),
        description="How the model is loaded: dtype, device, batch_size, adapter, revision, trust_remote_code, "
        "max_length, chat_template, chat_template_args, chat_date, and args, the options of the model's provider.",
    )
    tasks: Names = Field(default=(), description="Built-in tasks and task files; a list, or names separated by commas.")
    instructions: dict[str, Names] = Field(
        default={}, description="For each group of wordings its collections: shipped names or YAML files."
    )
    data_dir: Folder = Field(
        default=None,
        description="A folder with the benchmarks' published files, instead of the hub; of lm_eval/NAME a folder of "
        "YAML files.",
    )
    prompt_format: PromptFormat = Field(
        default="auto", description="plain, alpaca, chat, or auto: chat if the model declares a chat template."
    )
    system: str | None = Field(
        default=None, description="The system prompt of all wordings that do not have their own, as text."
    )
    num_fewshot: Numbers = Field(
        default=(0,), description="The number of demonstrations in a prompt; several numbers are each evaluated."
    )
    fewshot_seeds: Numbers = Field(
        default=(0,), description="The seed of the draw of demonstrations; several seeds are each evaluated."
    )
    fewshot_draws: StrictInt | None = Field(
        default=None,
        description="How many draws of demonstrations are evaluated: seeds from `fewshot_seeds`, which is then one "
        "seed, upwards. Absent: the seeds that are listed.",
    )
    option_orders: StrictInt = Field(
        default=1,
        description="In how many orders the options are shown: the task's own, and others drawn at random, the same "
        "for every wording. Free-text tasks have one, and tasks with few options as many as there are.",
    )
    limit: StrictInt | None = Field(
        default=None, description="The maximum number of examples per task, sampled by `seed`."
    )
    max_prompt_tokens: StrictInt | None = Field(
        default=None,
        description="Only examples whose prompts have at most this number of tokens under every wording are evaluated.",
    )
    sample: SampleKind = Field(
        default="auto",
        description="How `limit` draws: stratified (classes in proportion, where all examples choose among the same "
        "answers), random, or auto: stratified, but random in a run folder that was started with random.",
    )
    seed: StrictInt = Field(default=0, description="The seed of that sample, and of the cells that a budget buys.")
    scoring: Scorings = Field(
        default=AUTO,
        description="How answers are read: loglikelihood, loglikelihood_norm, paper, first_token, generate, or auto: "
        "the most exact one that the model offers, which is loglikelihood unless it is behind a server. Several are a "
        "list, or names separated by commas.",
    )
    extract: str = Field(
        default=READ_AUTO,
        description="How an option is read from a generated answer: auto, last_line, option_text, conclusion, or "
        "regex:PATTERN.",
    )
    reasoning: StrictBool | str = Field(
        default=False,
        description="Ask for a reasoning before the answer (scoring generate): true, or the sentence that asks for it.",
    )
    temperature: StrictFloat = Field(
        default=0.0, description="Of generated answers (scoring generate): 0 takes the most likely token."
    )
    max_new_tokens: StrictInt | None = Field(
        default=None,
        description="The maximum number of tokens of a generated answer (scoring generate). Absent: from the lengths "
        "of the references of free-text tasks, and 256 for tasks with options (1024 with reasoning).",
    )
    top_p: StrictFloat = Field(
        default=1.0,
        description="Of generated answers: tokens are drawn only among the most likely ones that together have this "
        "probability.",
    )
    top_k: StrictInt = Field(
        default=0,
        description="Of generated answers: tokens are drawn only among this number of most likely ones; 0: all.",
    )
    stop: Texts = Field(
        default=(),
        description="A text, or a list of texts: a generated answer ends before the first of them in it. Absent: those "
        "that the task names, if it does.",
    )
    repeats: StrictInt = Field(
        default=1, description="How often each answer is generated (scoring generate), each time with another seed."
    )
    metric: MetricNames = Field(
        default=AUTO,
        description="What the score of an answer is in; auto: accuracy for tasks with options, rouge2 for "
        "summarization, bleu for translation, exact_match for free_text, and the task's own for lm_eval/NAME. Several "
        "are a list, or names separated by commas.",
    )
    budget: Share = Field(
        default=None,
        description="Score only this share of the grid of wordings and examples, as in 5%, and estimate the rest.",
    )
    rescore_ties: StrictBool = Field(
        default=False, description="Score choices again in float32 that half precision leaves too close to decide."
    )
    log_samples: StrictBool = Field(default=False, description="Store the full text of every prompt.")
    self_test: StrictBool = Field(default=True, description="Check the model's scores before the run.")

    if not TYPE_CHECKING:  # type checkers read the fields' types instead

        def __init__(self, **values: object) -> None:
            try:
                super().__init__(**values)
            except ValidationError as error:
                raise _usage_error(error) from None

        # Tells pydantic to validate files without this __init__: `typed_yaml` then reports the file and the line.
        __init__.__pydantic_base_init__ = True

    @field_validator("limit")
    @classmethod
    def _some_examples(cls, value: int | None) -> int | None:
        if value is not None and value < 1:
            raise ValueError("cannot evaluate on so few examples: expected at least 1")
        return value

    @field_validator("repeats", "max_new_tokens", "max_prompt_tokens", "fewshot_draws", "option_orders")
    @classmethod
    def _at_least_one(cls, value: int | None) -> int | None:
        if value is not None and not 1 <= value <= MAX_NUMBER:
            raise ValueError("a number that cannot be used: expected at least 1")
        return value

    @field_validator("temperature", mode="before")
    @classmethod
    def _a_temperature(cls, value: object) -> object:
        number = float(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if isinstance(number, float) and not 0 <= number < float("inf"):
            raise ValueError("not a temperature: expected 0 or more")
        return number

    @field_validator("top_p", mode="before")
    @classmethod
    def _a_top_p(cls, value: object) -> object:
        number = float(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if isinstance(number, float) and not 0 < number <= 1:
            raise ValueError("not a probability for top_p: expected above 0 and up to 1")
        return number

    @field_validator("top_k")
    @classmethod
    def _a_top_k(cls, value: int) -> int:
        if not 0 <= value <= MAX_NUMBER:
            raise ValueError("a number that cannot be used: expected 0 (all tokens) or more")
        return value

    @field_validator("stop")
    @classmethod
    def _stop_texts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(value):
            raise ValueError("an empty text would stop every answer at its beginning")
        return tuple(dict.fromkeys(value))

    @field_validator("extract")
    @classmethod
    def _a_reading(cls, value: str) -> str:
        return text_reading(value.strip()).name

    @field_validator("reasoning")
    @classmethod
    def _some_sentence(cls, value: bool | str) -> bool | str:
        if isinstance(value, str) and not value.strip():
            raise ValueError("an empty sentence asks for nothing")
        return value

    @property
    def reasoning_sentence(self) -> str | None:
        """The sentence that asks for a reasoning; `None` without one."""
        return (REASONING if self.reasoning else None) if isinstance(self.reasoning, bool) else self.reasoning

    @property
    def answer_limit(self) -> int:
        """The maximum number of tokens of a generated answer; that of an option before it is resolved."""
        default = REASONING_TOKENS if self.reasoning else OPTION_TOKENS
        return default if self.max_new_tokens is None else self.max_new_tokens

    @property
    def generation(self) -> dict[str, object]:
        """What shapes generated answers."""
        return {
            "temperature": self.temperature,
            "max_new_tokens": self.answer_limit,
            "seed": self.seed,
            # Omitted where they are off, so that runs of older versions still match.
            **({"top_p": self.top_p} if self.top_p != 1 else {}),
            **({"top_k": self.top_k} if self.top_k else {}),
            **({"stop": list(self.stop)} if self.stop else {}),
            **({"reasoning": self.reasoning_sentence} if self.reasoning else {}),
        }

    @field_validator("num_fewshot", "fewshot_seeds")
    @classmethod
    def _each_once(cls, values: tuple[int, ...]) -> tuple[int, ...]:
        if not values or min(values) < 0 or max(values) > MAX_NUMBER or len(set(values)) < len(values):
            raise ValueError(f"numbers that cannot be used: expected 0 to {MAX_NUMBER}, each once")
        return values

    @model_validator(mode="after")
    def _one_first_seed(self) -> EvaluationSpec:
        if self.fewshot_draws is not None:
            if len(self.fewshot_seeds) > 1:
                raise UsageError(
                    "draws are counted from one seed",
                    expected="--fewshot-draws with one --fewshot-seed, or a list of seeds alone",
                    got=", ".join(map(str, self.fewshot_seeds)),
                    where="--fewshot-draws",
                )
            if max(self.fewshot_seeds) + self.fewshot_draws - 1 > MAX_NUMBER:
                raise UsageError(
                    "more draws than there are seeds", expected=f"seeds up to {MAX_NUMBER}", where="--fewshot-draws"
                )
        return self

    @property
    def draw_seeds(self) -> tuple[int, ...]:
        """The seed of every draw of demonstrations."""
        first, draws = self.fewshot_seeds[0], self.fewshot_draws
        return self.fewshot_seeds if draws is None else tuple(range(first, first + draws))

    @field_validator("scoring")
    @classmethod
    def _scorings_once(cls, value: str) -> str:
        names = split_scorings(value)
        if not all(names) or len(set(names)) < len(names):
            raise ValueError("names of scoring methods that cannot be used: expected at least one, each once")
        return ",".join(names)

    @field_validator("metric")
    @classmethod
    def _metrics_once(cls, value: str) -> str:
        names = split_metrics(value)
        if not all(names) or len(set(names)) < len(names):
            raise ValueError("names of metrics that cannot be used: expected at least one, each once")
        return ",".join(names)

    @property
    def scorings(self) -> tuple[str, ...]:
        """The names in `scoring`, in order."""
        return split_scorings(self.scoring)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names in `metric`, in order."""
        return split_metrics(self.metric)

    def each_alone(self) -> list[EvaluationSpec]:
        """The same options with one scorer and one metric each.

        Metrics that are computed from stored texts come last. Where there are no others, the tasks' default is first,
        so that no text is lost when one of them fails.
        """
        batched = [name for name in self.metrics if name != AUTO and metric(name).is_batched]
        metrics = [name for name in self.metrics if name not in batched] or [AUTO]
        return [
            self.with_changes(scoring=name, metric=judge) for name in self.scorings for judge in (*metrics, *batched)
        ]

    @field_validator("budget")
    @classmethod
    def _a_share(cls, value: float | None) -> float | None:
        if value is not None and not 0 < value <= 1:
            raise ValueError("not a share of the grid: expected above 0 and up to 1, or a percentage as in 5%")
        return value

    def with_changes(self, **changes: object) -> EvaluationSpec:
        """The same spec with other values of some fields, checked.

        Raises:
            UsageError: a field that does not exist, or a value that it cannot have.
        """
        kept: dict[str, object] = {name: getattr(self, name) for name in self.model_fields_set}
        make = cast("Callable[..., EvaluationSpec]", EvaluationSpec)  # pydantic checks the values
        return make(**(kept | changes))


def _usage_error(error: ValidationError) -> UsageError:
    """The first problem, under the name of the command line's option."""
    first = error.errors(include_url=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] in {"extra_forbidden", "unexpected_keyword_argument"}:
        inside = len(first["loc"]) > 1
        known = [field.name for field in fields(ModelOptions)] if inside else sorted(EvaluationSpec.model_fields)
        return UsageError(f"unknown option {str(first['loc'][-1])!r}", expected=f"one of: {', '.join(known)}")
    text = first["msg"].removeprefix("Value error, ").replace("Input should", "the value should", 1)
    return UsageError(text, got=repr(first["input"]), where=option_of(name))


def option_of(field: str) -> str:
    """The command line's option for a field of the spec."""
    if field in {"top_p", "top_k"}:
        return f"--gen-kwargs {field}"
    named = {"fewshot_seeds": "fewshot_seed", "self_test": "no_self_test"}.get(field, field)
    return f"--{named.replace('_', '-')}"
