"""The size of a search, without training or measuring anything."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from phraseproof.alignment.loop.preparation import prepare
from phraseproof.alignment.pairs.paraphrase_set import ParaphraseSet, TeacherRecord
from phraseproof.alignment.reference_answers import TEACHER
from phraseproof.evaluation.observer import Observer
from phraseproof.evaluation.plan import PlannedCell
from phraseproof.evaluation.resolve import resolve
from phraseproof.evaluation.reuse import without
from phraseproof.evaluation.run import Evaluation
from phraseproof.hardening.candidates import Candidate, candidates_of
from phraseproof.hardening.costs import TrainingCost, training_cost
from phraseproof.hardening.lessons import teaching_set
from phraseproof.hardening.search import ranking_set
from phraseproof.hardening.search_plan import MeasuredSet, SearchInput, SearchPlan, plan_search
from phraseproof.hardening.search_settings import SearchSettings
from phraseproof.hardening.training_pairs import make_pairs
from phraseproof.models import ModelOptions


class SearchForecast(NamedTuple):
    """What a search would compute, whether or not some of it is there already.

    Attributes:
        plan: the sets of examples and wordings.
        candidates: methods at their learning rates.
        searched: the number of trainings in the search; `refitted` that of the trainings that are reported.
        training: their steps, prompts and tokens, all together.
        evaluations: the number of run folders.
        prompts: in all of them; of the model as it is, an example under a wording once.
        tokens: of these prompts, shared parts once; `None` if the model cannot count them.
    """

    plan: SearchPlan
    candidates: tuple[Candidate, ...]
    searched: int
    refitted: int
    training: TrainingCost
    evaluations: int
    prompts: int
    tokens: int | None


def forecast_search(
    model: str,
    given: SearchInput,
    settings: SearchSettings,
    *,
    model_options: ModelOptions = ModelOptions(),
    observer: Observer | None = None,
) -> SearchForecast:
    """Count what `run_search` would compute. Loads no weights and writes nothing.

    References are chosen by scores that are not known yet, so tokens of trainings are those of other references; of the
    trainings that are reported, the largest is counted. Trainings without labels are counted with the labels' tokens.

    Raises:
        UsageError: as `run_search`.
    """
    candidates = candidates_of(settings.methods, settings.rates, settings.alignment, seed=settings.seed)
    plan = plan_search(given, settings)

    def largest(of: MeasuredSet, names: Sequence[Candidate]) -> list[TrainingCost]:
        scores = {(task, item.name): 0.0 for task, items in of.wordings.items() for item in items}
        pairs = make_pairs(of, scores, limit=settings.max_pairs, seed=settings.seed).pairs
        return [_cost(model, each, pairs, settings, model_options) for each in names]

    by_method = {each.name: each for each in candidates}
    costs = dict(zip(by_method, largest(plan.training, list(by_method.values())), strict=True))
    refits = sorted(largest(plan.refitting, list(by_method.values())), key=lambda cost: -cost.tokens)
    refits = refits if settings.reported == "all" else refits[:1]
    seeds, search_seeds = len(settings.seeds), settings.search_seeds
    trainings = [(costs[each.name], search_seeds) for each in candidates] + [(cost, seeds) for cost in refits]
    total = TrainingCost(*(sum(cost[place] * times for cost, times in trainings) for place in range(3)))

    reported = 1 + len(refits) * seeds
    evaluations = [(plan.validation, 1 + len(candidates) * search_seeds)]
    if any(each.sees_labels for each in candidates):
        evaluations.append((ranking_set(plan, settings), 1))
    evaluations += [(each, reported) for each in plan.reported]
    if not all(each.sees_labels for each in candidates):
        both = (plan.training, plan.refitting)
        evaluations += [(teaching_set(of, settings.max_pairs, settings.seed), 1) for of in both]
    prompts, tokens = 0, 0
    is_counted = True
    known: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for of, times in evaluations:
        request = of.request(model, model_options, settings.alignment.prompt_format)
        evaluation = resolve(request, observer=observer, forecast=True)
        trained = evaluation.forecast() if times > 1 else None
        base = _new(evaluation, known).forecast()  # the model as it is scores an example under a wording once
        for found, count in ((trained, times - 1), (base, 1)):
            if found is not None:
                prompts += count * found.prompts_missing
                is_counted = is_counted and found.tokens is not None
                tokens += 0 if found.tokens is None else count * found.tokens.unique
    return SearchForecast(
        plan,
        tuple(candidates),
        len(candidates) * search_seeds,
        len(refits) * seeds,
        total,
        sum(times for _, times in evaluations),
        prompts,
        tokens if is_counted else None,
    )


def _new(evaluation: Evaluation, known: defaultdict[tuple[str, str], set[str]]) -> Evaluation:
    """The evaluation without the examples that are known by task and wording, which are then known too."""
    planned: list[PlannedCell] = []
    for each in evaluation.planned:
        names = known[each.cell.task, each.cell.instruction]
        planned.append(without(each, names))
        names.update(example.id for example in each.task.examples)
    return replace(evaluation, planned=tuple(each for each in planned if each.task.examples))


def _cost(
    model: str, candidate: Candidate, pairs: Sequence[ParaphraseSet], settings: SearchSettings, options: ModelOptions
) -> TrainingCost:
    if candidate.settings.labels == "none":  # a teacher's answers are kept, so the model is not asked for them
        pairs = [replace(pair, teacher=TeacherRecord(TEACHER)) for pair in pairs]
    return training_cost(prepare(model, pairs, replace(candidate.settings, seed=settings.seeds[0]), options))
