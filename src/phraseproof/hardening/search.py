"""Compare alignment methods at equal budget, refit the best, and report it on examples and wordings nothing saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from phraseproof.analysis.robustness import summarize
from phraseproof.evaluation.distributed.pooled import WorkerSet
from phraseproof.evaluation.observer import Observer
from phraseproof.hardening.candidates import Candidate, candidates_of
from phraseproof.hardening.conclusion import conclude
from phraseproof.hardening.judged_runs import JudgedRuns, judge_runs
from phraseproof.hardening.lessons import Lessons
from phraseproof.hardening.search_plan import MeasuredSet, SearchInput, SearchPlan, plan_search
from phraseproof.hardening.search_settings import SearchSettings
from phraseproof.hardening.training_pairs import TrainingPairs
from phraseproof.hardening.workplace import Training, Workplace
from phraseproof.identity import content_hash
from phraseproof.models import ModelOptions
from phraseproof.store.looks import Look
from phraseproof.store.queries import Run
from phraseproof.training.log import TrainingObserver

RANKING_EXAMPLES = 40
"""The maximum number of training examples per task by which references are chosen among the wordings."""


class Searched(NamedTuple):
    """One candidate on validation.

    Attributes:
        candidate: what was trained.
        pairs: that it was trained on.
        trainings: one for every seed of the search.
        scores: the mean score on validation of each of them.
    """

    candidate: Candidate
    pairs: TrainingPairs
    trainings: tuple[Training, ...]
    scores: tuple[float, ...]

    @property
    def score(self) -> float:
        """The mean over seeds."""
        return sum(self.scores) / len(self.scores)


class Refitted(NamedTuple):
    """A candidate that is reported: trained on training and validation together, or as it was compared.

    Attributes:
        candidate: what was trained.
        pairs: that it was trained on.
        trainings: one for every seed.
    """

    candidate: Candidate
    pairs: TrainingPairs
    trainings: tuple[Training, ...]


@dataclass(frozen=True, slots=True)
class MethodSearch:
    """The result of a search.

    Attributes:
        settings: how methods were compared.
        plan: the sets of examples and wordings.
        searched: every candidate on validation, in the order given.
        base_score: the mean score on validation of the model as it is.
        refitted: the candidates that are reported; the first one is the best on validation.
        test: the report on test examples under test wordings.
        unseen: on tasks that no training saw; `None` without such tasks.
        check: on tasks that show forgetting; likewise.
        earlier: what was reported before on the same test examples, as far as the folder tells
            (`reduction.method_search`).
    """

    settings: SearchSettings
    plan: SearchPlan
    searched: tuple[Searched, ...]
    base_score: float
    refitted: tuple[Refitted, ...]
    test: JudgedRuns
    unseen: JudgedRuns | None
    check: JudgedRuns | None
    earlier: tuple[Look, ...] = ()

    @property
    def look(self) -> Look:
        """What this report shows of the test set."""
        return Look(
            {task.name: content_hash(sorted(task.examples, key=lambda each: each.id)) for task in self.plan.test.tasks},
            tuple(training.folder.parent.name for each in self.refitted for training in each.trainings),
            tuple(each.candidate.label for each in self.refitted),
            self.recommendation,
        )

    @property
    def chosen(self) -> Candidate:
        """The best candidate on validation."""
        return self.refitted[0].candidate

    @property
    def recommendation(self) -> str:
        """What the test shows, in one sentence."""
        return conclude(self.test, self.chosen.label)

    @property
    def reports(self) -> tuple[JudgedRuns, ...]:
        """The sets that were reported on."""
        return tuple(each for each in (self.test, self.unseen, self.check) if each is not None)


def run_search(
    model: str,
    given: SearchInput,
    out: Path,
    settings: SearchSettings,
    *,
    model_options: ModelOptions = ModelOptions(),
    observers: tuple[Observer | None, TrainingObserver | None] = (None, None),
    workers: WorkerSet | None = None,
) -> MethodSearch:
    """Compare methods on validation, refit the best one, and report it once on the test set.

    Every candidate is trained on training examples under training wordings, with the same number of steps and of
    batches per step, and measured on validation examples under validation wordings. The best one is trained again on
    both together, with every seed (`SearchSettings.refit`), and measured on the test set, next to the model as it is,
    calibrated, as an ensemble of wordings and with chosen wordings. The same call again continues a search that was
    stopped.

    Args:
        model: a hub id or a folder.
        given: tasks and wordings.
        out: receives all runs and trainings.
        settings: how to split, train and measure.
        model_options: how to load the model.
        observers: of the evaluations and of the trainings.
        workers: compute the evaluations, and do at the same time the trainings that are compared, and then those that
            are reported.

    Raises:
        UsageError: too few wordings or examples, unknown methods, or wordings that cannot be paired.
        NotEnoughDataError: a task without options.
    """
    candidates = candidates_of(settings.methods, settings.rates, settings.alignment, seed=settings.seed)
    plan = plan_search(given, settings)
    prompt_format = settings.alignment.prompt_format
    place = Workplace(model, model_options, out, prompt_format=prompt_format, observers=observers, workers=workers)
    lessons = Lessons(place, ranking_set(plan, settings), max_pairs=settings.max_pairs, seed=settings.seed)
    place.observer.noted("measuring the model as it is on the validation set")
    base_score = _mean(place.measure(plan.validation))
    place.train_ahead(
        (candidate, seed, lessons.pairs(plan.training, candidate).pairs)
        for candidate in candidates
        for seed in settings.seeds_compared
    )
    searched: list[Searched] = []
    for number, candidate in enumerate(candidates, start=1):
        place.observer.noted(f"candidate {number} of {len(candidates)}: {candidate.label}")
        pairs = lessons.pairs(plan.training, candidate)
        searched.append(_searched(place, plan.validation, candidate, pairs, settings.seeds_compared))
    best = _reported(searched, settings)
    refitted = [Refitted(each.candidate, each.pairs, each.trainings) for each in best]
    if settings.refit:
        place.train_ahead(
            (each.candidate, seed, lessons.pairs(plan.refitting, each.candidate).pairs)
            for each in best
            for seed in settings.seeds
        )
        refitted = [
            _refitted(place, each.candidate, lessons.pairs(plan.refitting, each.candidate), settings.seeds)
            for each in best
        ]
    found = [_report(place, each, refitted, settings) for each in plan.reported]
    reports = {each.name: each for each in found}
    return MethodSearch(
        settings,
        plan,
        tuple(searched),
        base_score,
        tuple(refitted),
        reports["test"],
        reports.get("unseen"),
        reports.get("check"),
    )


def ranking_set(plan: SearchPlan, settings: SearchSettings) -> MeasuredSet:
    """The examples and wordings by which references are chosen: no validation example is among them."""
    return MeasuredSet("reference", plan.training.tasks, plan.refitting.wordings, RANKING_EXAMPLES, settings.seed)


def _searched(
    place: Workplace, on: MeasuredSet, candidate: Candidate, pairs: TrainingPairs, seeds: Sequence[int]
) -> Searched:
    trainings: list[Training] = []
    scores: list[float] = []
    for seed in seeds:
        trainings.append(place.train(candidate, seed, pairs.pairs))
        scores.append(_mean(place.measure(on, trainings[-1])))
        place.observer.noted(f"{candidate.label}, seed {seed}: {100 * scores[-1]:.1f}% on validation")
    return Searched(candidate, pairs, tuple(trainings), tuple(scores))


def _reported(searched: Sequence[Searched], settings: SearchSettings) -> list[Searched]:
    """The best candidate; with `all`, the best of every method, that one first. Of equal ones, the first."""
    best_of: dict[str, Searched] = {}
    for each in searched:
        if each.candidate.name not in best_of or each.score > best_of[each.candidate.name].score:
            best_of[each.candidate.name] = each
    ranked = sorted(best_of.values(), key=lambda each: -each.score)
    return ranked if settings.reported == "all" else ranked[:1]


def _refitted(place: Workplace, candidate: Candidate, pairs: TrainingPairs, seeds: Sequence[int]) -> Refitted:
    trainings: list[Training] = []
    for seed in seeds:
        place.observer.noted(f"training {candidate.label} again on training and validation, seed {seed}")
        trainings.append(place.train(candidate, seed, pairs.pairs))
    return Refitted(candidate, pairs, tuple(trainings))


def _report(place: Workplace, on: MeasuredSet, refitted: Sequence[Refitted], settings: SearchSettings) -> JudgedRuns:
    place.observer.noted(f"measuring on the set {on.name}")
    base = place.measure(on)
    trained = {each.candidate.label: [place.measure(on, training) for training in each.trainings] for each in refitted}
    return judge_runs(on.name, base, trained, calibration=settings.calibration, seed=settings.seed)


def _mean(run: Run) -> float:
    """The mean over tasks and categories, as in the paper."""
    (summary,) = summarize(run.wording_scores())
    (group,) = summary.overall.groups.values()
    return group.mean
