"""The size of a search, without training or measuring anything; its time from a few steps and prompts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from phraseproof.alignment.loop.forecast import forecast_training
from phraseproof.alignment.pairs.paraphrase_set import ParaphraseSet, TeacherRecord
from phraseproof.alignment.prepared_training import prepared_training
from phraseproof.alignment.reference_answers import TEACHER
from phraseproof.evaluation.observer import Observer
from phraseproof.evaluation.plan import PlannedCell
from phraseproof.evaluation.resolve import resolve
from phraseproof.evaluation.reuse import without
from phraseproof.evaluation.run import Evaluation, Forecast
from phraseproof.hardening.candidates import Candidate, candidates_of
from phraseproof.hardening.costs import TrainingCost, training_cost
from phraseproof.hardening.lessons import teaching_set
from phraseproof.hardening.search import ranking_set
from phraseproof.hardening.search_plan import MeasuredSet, SearchInput, SearchPlan, plan_search
from phraseproof.hardening.search_settings import SearchSettings
from phraseproof.hardening.training_pairs import make_pairs
from phraseproof.models import ModelOptions
from phraseproof.models.loading_cost import is_quick_to_load
from phraseproof.training.timing import TIMED_SECONDS


class SearchTiming(NamedTuple):
    """How long a search would take, from what was timed. Loading the model and testing it are not in it.

    Attributes:
        training_seconds: of all trainings; those that are reported are as slow as the slowest method.
        scoring_seconds: of all evaluations, as if trained models were as fast as the model as it is.
        steps: the number of training steps that were timed, of all methods together.
        prompts: the number of validation prompts that were timed.
    """

    training_seconds: float
    scoring_seconds: float
    steps: int
    prompts: int

    @property
    def seconds(self) -> float:
        """Of trainings and evaluations."""
        return self.training_seconds + self.scoring_seconds


class SearchForecast(NamedTuple):
    """What a search would compute, whether or not some of it is there already.

    Attributes:
        plan: the sets of examples and wordings.
        candidates: methods at their learning rates.
        searched: the number of trainings in the search; `refitted` that of the trainings after it, which are reported.
        training: their steps, prompts and tokens, all together.
        evaluations: the number of run folders.
        prompts: in all of them; of the model as it is, an example under a wording once.
        tokens: of these prompts, shared parts once; `None` if the model cannot count them.
        timing: `None` where nothing was timed.
    """

    plan: SearchPlan
    candidates: tuple[Candidate, ...]
    searched: int
    refitted: int
    training: TrainingCost
    evaluations: int
    prompts: int
    tokens: int | None
    timing: SearchTiming | None = None


class _MethodCost(NamedTuple):
    """The cost of one training; `seconds` and `steps` are what was estimated from how many steps, if any were timed."""

    cost: TrainingCost
    seconds: float = 0.0
    steps: int = 0

    def as_long_as(self, cost: TrainingCost) -> _MethodCost:
        """The cost of a training of the same method on other pairs: as many seconds per token."""
        return _MethodCost(cost, self.seconds * cost.tokens / self.cost.tokens)


class _ScoringCost(NamedTuple):
    """The cost of all evaluations; `seconds` and `timed` are what was estimated from how many prompts, if any were."""

    evaluations: int
    prompts: int
    tokens: int | None
    seconds: float
    timed: int


def forecast_search(
    model: str,
    given: SearchInput,
    settings: SearchSettings,
    *,
    model_options: ModelOptions = ModelOptions(),
    observer: Observer | None = None,
    is_timed: bool | None = False,
) -> SearchForecast:
    """Count what `run_search` would compute, and time a few training steps and prompts. Writes nothing.

    References are chosen by scores that are not known yet, so tokens of trainings are those of other references; of the
    trainings that are reported, the largest is counted. Trainings without labels are counted with the labels' tokens.

    Args:
        model, given, settings, model_options: as in `run_search`.
        observer: receives warnings.
        is_timed: do a few steps of every method at a learning rate of 0, and score a few validation prompts; the
            model's weights are loaded for that. `None`: if they are on this machine and take at most 2 GiB.

    Raises:
        UsageError: as `run_search`.
        ModelError: memory ran out, or a loss is not a finite number, where steps are timed.
    """
    candidates = candidates_of(settings.methods, settings.rates, settings.alignment, seed=settings.seed)
    plan = plan_search(given, settings)
    methods = list({each.name: each for each in candidates}.values())
    searched = _method_costs(model, plan.training, methods, settings, model_options, is_timed=is_timed)
    refits: list[_MethodCost] = []
    if settings.refit:
        again = _method_costs(model, plan.refitting, methods, settings, model_options, is_timed=False)
        refits = _refits(searched, again, settings)
    by_name = dict(zip((each.name for each in methods), searched, strict=True))
    seeds, compared = len(settings.seeds), len(settings.seeds_compared)
    trainings = [(by_name[each.name], compared) for each in candidates] + [(each, seeds) for each in refits]
    total = TrainingCost(*(sum(each.cost[place] * times for each, times in trainings) for place in range(3)))
    reported = seeds * (1 if settings.reported == "best" else len(methods))
    sets = _evaluated(plan, candidates, settings, len(candidates) * compared, reported)
    timed_steps = sum(each.steps for each in searched)
    scoring = _scoring_cost(model, sets, settings, model_options, observer, is_timed=timed_steps > 0)
    return SearchForecast(
        plan,
        tuple(candidates),
        len(candidates) * compared,
        len(refits) * seeds,
        total,
        scoring.evaluations,
        scoring.prompts,
        scoring.tokens,
        SearchTiming(
            sum(each.seconds * times for each, times in trainings), scoring.seconds, timed_steps, scoring.timed
        )
        if timed_steps
        else None,
    )


def _refits(
    searched: Sequence[_MethodCost], again: Sequence[_MethodCost], settings: SearchSettings
) -> list[_MethodCost]:
    """The cost of one training of every method that is reported; of the largest and slowest, where it is one method."""
    refits = sorted(
        (one.as_long_as(other.cost) for one, other in zip(searched, again, strict=True)),
        key=lambda each: -each.cost.tokens,
    )
    slowest = max(each.seconds for each in refits)
    return refits if settings.reported == "all" else [refits[0]._replace(seconds=slowest)]


def _evaluated(
    plan: SearchPlan, candidates: Sequence[Candidate], settings: SearchSettings, searched: int, reported: int
) -> Iterator[tuple[MeasuredSet, int]]:
    """Every set that is measured, with the number of models: the model as it is and trained ones."""
    yield plan.validation, 1 + searched
    if any(each.sees_labels for each in candidates):
        yield ranking_set(plan, settings), 1
    for each in plan.reported:
        yield each, 1 + reported
    if not all(each.sees_labels for each in candidates):
        for of in (plan.training, plan.refitting) if settings.refit else (plan.training,):
            yield teaching_set(of, settings.max_pairs, settings.seed), 1


def _scoring_cost(
    model: str,
    sets: Iterator[tuple[MeasuredSet, int]],
    settings: SearchSettings,
    options: ModelOptions,
    observer: Observer | None,
    *,
    is_timed: bool,
) -> _ScoringCost:
    """Count the evaluations of all sets; the prompts of the first set are timed."""
    evaluations = prompts = tokens = timed = 0
    seconds_per_part = 0.0
    is_counted = True
    known: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for of, times in sets:
        evaluations += times
        request = of.request(model, options, settings.alignment.prompt_format)
        evaluation = resolve(request, observer=observer, forecast=True)
        trained = evaluation.forecast() if times > 1 else None
        # The model as it is scores an example under a wording once.
        base = _new(evaluation, known).forecast(timing=is_timed and not timed)
        if base.timing is not None:
            seconds_per_part, timed = base.timing.seconds / _part(base), base.timing.prompts
        for found, count in ((trained, times - 1), (base, 1)):
            if found is not None:
                prompts += count * found.prompts_missing
                is_counted = is_counted and found.tokens is not None
                tokens += count * _part(found)
    return _ScoringCost(evaluations, prompts, tokens if is_counted else None, seconds_per_part * tokens, timed)


def _part(found: Forecast) -> int:
    """What time is proportional to: tokens that are computed, or prompts where the model cannot count tokens."""
    return found.prompts_missing if found.tokens is None else found.tokens.unique


def _new(evaluation: Evaluation, known: defaultdict[tuple[str, str], set[str]]) -> Evaluation:
    """The evaluation without the examples that are known by task and wording, which are then known too."""
    planned: list[PlannedCell] = []
    for each in evaluation.planned:
        names = known[each.cell.task, each.cell.instruction]
        planned.append(without(each, names))
        names.update(example.id for example in each.task.examples)
    return replace(evaluation, planned=tuple(each for each in planned if each.task.examples))


def _method_costs(
    model: str,
    of: MeasuredSet,
    methods: Sequence[Candidate],
    settings: SearchSettings,
    options: ModelOptions,
    *,
    is_timed: bool | None,
) -> list[_MethodCost]:
    """The cost of one training of every method on a set, with any of its learning rates."""
    scores = {(task, item.name): 0.0 for task, items in of.wordings.items() for item in items}
    pairs = make_pairs(of, scores, limit=settings.max_pairs, seed=settings.seed).pairs
    found: list[_MethodCost] = []
    for each in methods:
        own: Sequence[ParaphraseSet] = pairs
        if each.settings.labels == "none":  # a teacher's answers are kept, so the model is not asked for them
            own = [replace(pair, teacher=TeacherRecord(TEACHER)) for pair in pairs]
        seeded = replace(each.settings, seed=settings.seeds[0])
        with prepared_training(model, own, seeded, model_options=options) as training:
            prepared = training.preparation
            cost = training_cost(prepared)
            if is_timed is None:
                is_timed = is_quick_to_load(prepared.model)
            if not is_timed:
                found.append(_MethodCost(cost))
                continue
            forecast = forecast_training(
                prepared, training.accelerator, is_timed=True, timed_seconds=TIMED_SECONDS / len(methods)
            )
            assert forecast.timing is not None, "steps were timed"
            assert forecast.seconds is not None, "steps were timed"
            found.append(_MethodCost(cost, forecast.seconds, forecast.timing.steps))
    return found
