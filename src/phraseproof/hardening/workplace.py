"""Trains and measures models in one folder. What is there is used again, by identity."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from phraseproof.alignment.loop.preparation import Preparation
from phraseproof.alignment.pairs.paraphrase_set import ParaphraseSet
from phraseproof.alignment.prepared_training import is_finished, prepared_training
from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.alignment.trainer import train
from phraseproof.errors import RunError
from phraseproof.evaluation.distributed.pooled import WorkerSet
from phraseproof.evaluation.distributed.trainings import train_on_workers
from phraseproof.evaluation.earlier_runs import EarlierRun
from phraseproof.evaluation.observer import Observer, SilentObserver
from phraseproof.evaluation.resolve import resolve
from phraseproof.evaluation.workers import by_default_on
from phraseproof.hardening.candidates import Candidate
from phraseproof.hardening.costs import TrainingCost, training_cost
from phraseproof.hardening.search_plan import MeasuredSet
from phraseproof.identity import content_hash
from phraseproof.models import ModelOptions
from phraseproof.store.queries import Run
from phraseproof.training.folder import identifying
from phraseproof.training.log import TrainingObserver

BASE_FOLDER = "base"
TRAININGS_FOLDER = "trainings"
_DIGITS = 8


class Training(NamedTuple):
    """A finished training.

    Attributes:
        candidate, seed: what was trained.
        folder: the adapter's or the model's.
        is_adapter: otherwise the folder holds a whole model.
        cost: steps, prompts and tokens.
        seconds: of steps and evaluations during training.
    """

    candidate: Candidate
    seed: int
    folder: Path
    is_adapter: bool
    cost: TrainingCost
    seconds: float


@dataclass(frozen=True)
class SearchTraining:
    """A training of a search that a worker can do.

    Attributes:
        model, model_options: what is trained.
        pairs: what it is trained on.
        settings: how.
        label: the candidate's, for messages.
        folder: of the result.
    """

    model: str
    model_options: ModelOptions
    pairs: tuple[ParaphraseSet, ...]
    settings: AlignmentSettings
    label: str
    folder: Path

    @property
    def title(self) -> str:
        """What is trained, in a few words."""
        return f"training {self.label}, seed {self.settings.seed}"

    def train(self, folder: Path, observer: TrainingObserver, *, device: str | None = None) -> None:
        """Train into a folder, from the checkpoint that it holds.

        Args:
            folder: receives what `self.folder` would.
            observer: of the training.
            device: where to compute, if the options of the model leave that open.
        """
        options = by_default_on(self.model_options, device)
        train(self.model, self.pairs, folder, self.settings, model_options=options, observer=observer)


class Workplace:
    """Trains and measures one model.

    Args:
        model: a hub id or a folder.
        options: how the model is loaded.
        out: the folder of all runs and trainings.
        prompt_format: of the evaluations.
        observers: of the evaluations and of the trainings.
        workers: compute the evaluations, and do the trainings of `train_ahead`.
    """

    def __init__(
        self,
        model: str,
        options: ModelOptions,
        out: Path,
        *,
        prompt_format: str,
        observers: tuple[Observer | None, TrainingObserver | None],
        workers: WorkerSet | None = None,
    ) -> None:
        self._model, self._options, self._out = model, options, out
        self._format = prompt_format
        self.observer = observers[0] or SilentObserver()
        self._training_observer = observers[1]
        self._measured: list[EarlierRun] = []
        self._checked: set[tuple[object, ...]] = set()
        self._judged: set[str] = set()
        self._workers = workers

    def train_ahead(self, asked: Iterable[tuple[Candidate, int, Sequence[ParaphraseSet]]]) -> None:
        """Do trainings at the same time on workers, so that `train` finds them; nothing without workers.

        Args:
            asked: of each training its candidate, its seed and its pairs.

        Raises:
            PhraseproofError: the error of the first one that failed, after all others have ended.
        """
        if self._workers is None:
            return
        jobs: dict[Path, SearchTraining] = {}
        for candidate, seed, pairs in asked:
            settings = replace(candidate.settings, seed=seed)
            with prepared_training(self._model, pairs, settings, model_options=self._options) as training:
                folder = self._folder(candidate, seed, training.preparation)
                if not is_finished(folder):
                    self._check(training.preparation)
                    jobs[folder] = SearchTraining(
                        self._model, self._options, tuple(pairs), settings, candidate.label, folder
                    )
        train_on_workers(list(jobs.values()), self._workers, self.observer)

    def _folder(self, candidate: Candidate, seed: int, prepared: Preparation) -> Path:
        identity = content_hash(identifying(prepared.record))
        name = re.sub(r"[^A-Za-z0-9]+", "-", f"{candidate.name} {candidate.rate:g} seed {seed}")
        return self._out / TRAININGS_FOLDER / f"{name}-{identity[:_DIGITS]}" / "trained"

    def train(self, candidate: Candidate, seed: int, pairs: Sequence[ParaphraseSet]) -> Training:
        """Train a candidate; at once if that was done before, and from its last checkpoint if it was stopped."""
        settings = replace(candidate.settings, seed=seed)
        with prepared_training(self._model, pairs, settings, model_options=self._options) as training:
            folder = self._folder(candidate, seed, training.preparation)
            if not is_finished(folder):
                self._check(training.preparation)
            found = training.run(
                folder,
                observer=self._training_observer,
                is_checked=True,
                is_judged=self._was_judged(training.preparation),
            )
            cost = training_cost(training.preparation)
        return Training(candidate, seed, found.folder, found.kind == "adapter", cost, found.seconds)

    def _check(self, prepared: Preparation) -> None:
        """Check the pairs that are drawn, and at the first training on them all pairs.

        Other seeds draw other pairs, and one that cannot be trained on should stop a search before its first training.
        """
        reserved = prepared.settings.num_tokens if prepared.method.trains == "prompt" else 0
        key = content_hash(prepared.record["pairs"]), prepared.method.needs_options, reserved
        if key in self._checked:
            prepared.check_drawn(processes=1)
            return
        prepared.train.tokens.require(range(len(prepared.train.pairs)))
        self._checked.add(key)

    def _was_judged(self, prepared: Preparation) -> bool:
        """Whether a training on these pairs was here before. Where one learns from their references, it says of what
        quality these are."""
        if not prepared.pulls_to_reference:
            return False
        key = content_hash(prepared.record["pairs"])
        return key in self._judged or bool(self._judged.add(key))

    def measure(self, on: MeasuredSet, training: Training | None = None) -> Run:
        """Score a set's examples under its wordings with a trained model, or with the model as it is.

        The model as it is scores an example under a wording once, whatever sets have both.

        Raises:
            RunError: cells failed.
        """
        model, options, folder = self._model, self._options, self._out / BASE_FOLDER
        if training is not None:
            folder = training.folder.parent
            if training.is_adapter:
                options = replace(options, adapter=training.folder)
            else:
                model = str(training.folder)
        out = folder / f"{on.name}-{on.identity}"
        request = on.request(model, options, self._format)
        evaluation = resolve(request, out=out, observer=self.observer, workers=self._workers)
        earlier = self._measured if training is None else []
        run = evaluation.run(out, observer=self.observer, earlier=[each for each in earlier if each.folder != out])
        if run.missing:
            raise RunError(
                f"{len(run.missing)} of {len(run.cells)} cells failed, so models cannot be compared",
                got=run.failures[0].error if run.failures else None,
                where=str(run.path),
                hint="Run the same command to try them again",
            )
        if training is None:
            self._measured.append(EarlierRun(out, on.tasks))
        return run
