"""What a study is: a plan of steps for a request, and an exhibit made of what the steps left in their folders.

A study is one module with an object that has the members of `Study`. It names runs and trainings as `Step`s and never
computes anything itself, so that two studies share a run, and a study that is made again computes nothing:

    class TableThree:
        name = "table-3"
        ...
        def plan(self, request): return [evaluation_step(request, model, ...) for model in request.models]
        def build(self, request, steps): return Exhibit(...)

A study that trains adds its own kind of step (`steps.py` has those that evaluate): a frozen dataclass whose folder
depends on everything that changes its result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol, runtime_checkable

from phraseproof.models.options import ModelOptions

if TYPE_CHECKING:
    from pydantic import ConfigDict

    from phraseproof.evaluation.observer import Observer
    from phraseproof.studies.exhibit import Exhibit
    from phraseproof.studies.used_options import UsedOptions
    from phraseproof.training.log import TrainingObserver

OUT = Path("studies")
"""The folder of studies, unless another one is given."""


@dataclass(frozen=True)
class StudyRequest:
    """What a user asks of a study. A study uses the fields that it needs.

    Attributes:
        models: names of models, in the order in which they are shown.
        runs: run folders that are used as they are; no model is then evaluated.
        tasks: names of tasks; empty for the study's own choice.
        instructions: by group of wordings its collections; groups that are absent are the study's own choice.
        data: files of instructions and answers (docs/tune.md), for studies that tune a model.
        paraphrasers: models that paraphrase the observed wordings, for the study of sources of paraphrases.
        paraphraser_args: their providers' options, as `ModelOptions.args`.
        pairs: a file of training pairs for studies that align a model, instead of the study's own pairs.
        data_dir: a folder with the benchmarks' published files, instead of the hub.
        limit: the maximum number of examples per task; `None` for the study's own choice.
        max_steps: the maximum number of steps of every training; `None` for the study's own choice.
        gradient_accumulation: the number of batches per step of an alignment, likewise.
        seeds: how often what is random is repeated (draws of demonstrations, trainings); `None` for the study's choice.
        seed: of the sample of examples, and of resampling.
        out: the folder of all studies' runs and exhibits.
        model_options: how models are loaded.
        prompt_format: as of an evaluation.
        parameters: numbers of models' parameters, by model or run folder, where they are not known.
    """

    # `study.json` is read into this class by pydantic, which would otherwise ignore misspelt names.
    __pydantic_config__: ClassVar[ConfigDict] = {"extra": "forbid"}

    models: tuple[str, ...] = ()
    runs: tuple[Path, ...] = ()
    tasks: tuple[str, ...] = ()
    instructions: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])
    data: tuple[Path, ...] = ()
    paraphrasers: tuple[str, ...] = ()
    paraphraser_args: Mapping[str, str] = field(default_factory=dict[str, str])
    pairs: Path | None = None
    data_dir: Path | None = None
    limit: int | None = None
    max_steps: int | None = None
    gradient_accumulation: int | None = None
    seeds: int | None = None
    seed: int = 0
    out: Path = OUT
    model_options: ModelOptions = field(default_factory=ModelOptions)
    prompt_format: str = "auto"
    parameters: Mapping[str, int] = field(default_factory=dict[str, int])


class StepForecast(NamedTuple):
    """What a step would cost.

    Attributes:
        prompts: that the step consists of.
        missing: those that are not stored yet.
        tokens: of the missing ones, shared parts counted once; `None` where they are not known.
        seconds: the time, where the rate of the model is known.
        remark: what else to know, such as why something is not known; empty if nothing.
    """

    prompts: int
    missing: int
    tokens: int | None = None
    seconds: float | None = None
    remark: str = ""


class Step(Protocol):
    """One run or training that a study needs. Steps are carried out in order, and each only does what is missing."""

    @property
    def title(self) -> str:
        """What is done, in a few words: `evaluate pocket`."""
        ...

    @property
    def folder(self) -> Path:
        """Where the result is stored. Steps with the same folder are the same step."""
        ...

    def forecast(self, *, timed: bool) -> StepForecast:
        """Compute what the step would cost. Writes nothing.

        Args:
            timed: whether a few prompts may be scored to know the rate.

        Raises:
            PhraseproofError: something in the request is wrong.
        """
        ...

    def carry_out(self, observer: Observer) -> int:
        """Do what is missing; return how many cells failed.

        Raises:
            PhraseproofError: something in the request is wrong.
        """
        ...


@runtime_checkable
class TrainingStep(Step, Protocol):
    """A step that trains. It needs nothing that another step leaves, so trainings can be done at the same time."""

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to train."""
        ...

    def train(self, folder: Path, observer: TrainingObserver, *, device: str | None = None) -> None:
        """Train into a folder, from the checkpoint that it holds; `carry_out` does it in the step's own.

        Args:
            folder: receives what the step's own would.
            observer: of the training.
            device: where to compute, if the options of the model leave that open.
        """
        ...

    def elsewhere(self) -> TrainingStep:
        """The same step, which needs no file of this machine but those of its model."""
        ...


class Study(Protocol):
    """A table or figure of the paper, for any model.

    Attributes:
        name: as users name it.
        exhibit: the tables and figures of the paper that it shows.
        about: what it shows, as a sentence without a full stop.
        needs: what it needs, in a few words (`two groups of wordings`).
        min_models: the smallest number of models: 0 for a study that needs none, 2 for one that compares sizes.
        options: the fields of a request that have an effect on it.
    """

    name: str
    exhibit: str
    about: str
    needs: str
    min_models: int
    options: UsedOptions

    def plan(self, request: StudyRequest) -> Sequence[Step]:
        """The steps, in order. Loads no weights.

        Raises:
            PhraseproofError: the request cannot be met.
        """
        ...

    def build(self, request: StudyRequest, steps: Sequence[Step]) -> Exhibit:
        """Make the exhibit of what the steps stored.

        Raises:
            PhraseproofError: the stored results do not hold what the exhibit needs.
        """
        ...


@runtime_checkable
class StagedStudy(Protocol):
    """A study whose plan depends on what some of its steps leave in their folders."""

    def first(self, request: StudyRequest) -> Sequence[Step]:
        """The steps of that kind that are not done yet, in order. The plan is made again after them."""
        ...
