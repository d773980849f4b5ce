"""Makes cells of one run of what logs hold, or refuses what cannot be compared."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from phraseproof.core import Cell, Outcome
from phraseproof.errors import FileError, UsageError
from phraseproof.identity import content_hash
from phraseproof.logs.cells import MOST_COUNT, Log, LoggedCell, LogPlace, LogRequest, short
from phraseproof.logs.names import group_of
from phraseproof.logs.outcome_spool import MappedOutcomes
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from phraseproof.scoring.imported import IMPORTED, scaled_name
from phraseproof.scoring.registry import scorer
from phraseproof.scoring.scorer import Scorer

DEFAULT_GROUP = "imported"
"""The group of wordings where neither the log nor the user names one."""

_SAME_MEAN = 1e-9
_NAMED = 3


class ImportedCell(NamedTuple):
    """A cell of the run, and what the log says of it."""

    cell: Cell
    logged: LoggedCell


class Assembled(NamedTuple):
    """The cells of one run.

    Attributes:
        met: how many means that the log reports are those of the outcomes.
        warnings: what a reader should know before comparing numbers.
    """

    model: str
    settings: Mapping[str, str]
    cells: Sequence[ImportedCell]
    met: int
    warnings: Sequence[str]


def assemble(log: Log, request: LogRequest, groups: Mapping[str, str]) -> Assembled:
    """The cells of one run.

    Args:
        log: what a reader found.
        request: the model and the score that are read.
        groups: patterns of wordings by the group's name, in order; empty for one group.

    Raises:
        FileError: a log contradicts itself or another one, or holds no outcome.
        UsageError: several models, or a wording outside of all groups.
    """
    cells = _of_model(log, request)
    settings = _shared_settings(cells)
    _require_single(cells)
    counts: dict[tuple[str, str], Counter[str]] = {}
    examined = [_examine(cell, request, counts) for cell in cells]
    _check_data(cells)
    imported = _named(examined, request, groups)
    means = _means(examined)
    differing = [each for each in means if each.differs]
    warnings = [
        f"{each.cell.where}: the log reports {each.cell.place.score} = {each.cell.headline:.6g} for "
        f"{each.cell.place.task} under {each.cell.place.wording}, and its {_have(each.num_outcomes)} the mean "
        f"{each.mean:.6g}"
        for each in differing[:_NAMED]
    ]
    if len(differing) > _NAMED:
        warnings.append(f"{len(differing) - _NAMED} more means differ from those that the log reports")
    warnings += _without_logprobs(examined)
    warnings += _without_score(log, cells)
    warnings += _incomplete(cells, counts)
    return Assembled(cells[0].place.model, settings, imported, len(means) - len(differing), warnings)


def _of_model(log: Log, request: LogRequest) -> list[LoggedCell]:
    cells = [cell for cell in log.cells if cell.outcomes]
    if request.metric is not None:
        scores = sorted({cell.place.score for cell in cells})
        cells = [cell for cell in cells if cell.place.score == request.metric]
        if scores and not cells:
            raise UsageError(
                f"no outcome has the score '{request.metric}'",
                expected=f"one of: {', '.join(scores)}",
                where="--metric",
            )
    if not cells:
        raise FileError("no outcome with a score", where=", ".join(map(str, log.files[:_NAMED])))
    models = list(dict.fromkeys(cell.place.model for cell in cells))
    if request.model is not None:
        cells = [cell for cell in cells if cell.place.model == request.model]
        if not cells:
            raise UsageError(
                "no outcome is of that model",
                expected=f"one of: {', '.join(models)}",
                got=request.model,
                where="--model",
            )
    elif len(models) > 1:
        raise UsageError(
            "the files hold results of several models", got=", ".join(models), hint="Name one of them with --model"
        )
    return cells


def _shared_settings(cells: Sequence[LoggedCell]) -> Mapping[str, str]:
    first = cells[0]
    of_task: dict[str, LoggedCell] = {}
    for cell in cells[1:]:
        _require_same(first.settings, cell.settings, first, cell)
    for cell in cells:
        other = of_task.setdefault(cell.place.task, cell)
        _require_same(other.task_settings, cell.task_settings, other, cell)
    return first.settings


def _require_same(old: Mapping[str, str], new: Mapping[str, str], first: LoggedCell, cell: LoggedCell) -> None:
    for key in sorted(old.keys() | new.keys()):
        before, now = old.get(key, "none"), new.get(key, "none")
        if before != now:
            raise FileError(
                f"another setting of {key} than in {first.where}",
                expected=short(before),
                got=short(now),
                where=cell.where,
                hint="Import the files into two run folders, and compare these",
            )


def _require_single(cells: Sequence[LoggedCell]) -> None:
    seen: dict[object, LoggedCell] = {}
    for cell in cells:
        other = seen.setdefault(cell.place, cell)
        if other is not cell:
            place = cell.place
            raise FileError(
                f"a second result for {place.score} of {place.task} under the wording {place.wording!r}",
                got=f"the first is in {other.where}",
                where=cell.where,
                hint="Name the files that count, or say with --wordings what names a wording",
            )


class _Examined(NamedTuple):
    """A cell whose outcomes were read once.

    Attributes:
        total: the sum of the scores.
        misfits: how many outcomes the cell's scorer, by its log-probabilities, has another choice for than the log.
        with_logprobs: how many outcomes have log-probabilities.
        is_accuracy: whether each score is the credit of the chosen option.
    """

    cell: LoggedCell
    total: float
    misfits: int
    with_logprobs: int
    is_accuracy: bool


def _examine(cell: LoggedCell, request: LogRequest, counts: dict[tuple[str, str], Counter[str]]) -> _Examined:
    """Read the outcomes of a cell, and count its examples by task and score.

    Raises:
        FileError: an example that is repeated, a score out of range, or a number that is too large.
    """
    largest = max(cell.place.num_fewshot, cell.place.fewshot_seed, cell.place.repeat)
    if largest > MOST_COUNT:
        raise FileError(
            "a number of demonstrations, a seed or a repeat is too large",
            expected=f"at most {MOST_COUNT}",
            got=str(largest),
            where=cell.where,
        )
    rule = None if cell.scoring is None else scorer(cell.scoring)
    misfits, with_logprobs, is_accuracy = 0, 0, request.scale is None
    examples: set[str] = set()
    scores = array("d")
    for outcome in cell.outcomes:
        if outcome.example_id in examples:
            raise FileError(
                f"the example {outcome.example_id!r} has several results for {cell.place.score} of {cell.place.task} "
                f"under the wording {cell.place.wording!r}",
                where=cell.where,
                hint="What distinguishes them is a wording, a repeat, or the example: see --wordings and --example",
            )
        examples.add(outcome.example_id)
        _check_score(outcome, cell, request)
        scores.append(outcome.score)
        misfits += rule is not None and not _chooses(rule, outcome)
        with_logprobs += bool(outcome.option_logprobs)
        is_accuracy = is_accuracy and _is_accuracy(outcome)
    counts.setdefault((cell.place.task, cell.place.score), Counter()).update(examples)
    return _Examined(cell, math.fsum(scores), misfits, with_logprobs, is_accuracy)


def _check_score(outcome: Outcome, cell: LoggedCell, request: LogRequest) -> None:
    low, high = request.scale or (0.0, 1.0)
    if not math.isfinite(outcome.score):
        raise FileError(
            f"{cell.place.score} of the example {outcome.example_id!r} is not a finite number",
            expected=f"{low:g} to {high:g}, or no score where the example failed",
            got=f"{outcome.score:g}",
            where=cell.where,
        )
    if not low <= outcome.score <= high:
        raise FileError(
            f"{cell.place.score} of the example {outcome.example_id!r} is out of range",
            expected=f"{low:g} to {high:g}",
            got=f"{outcome.score:g}",
            where=cell.where,
            hint="Give --scale LOW,HIGH for scores that are not between 0 and 1, or choose a score with --metric",
        )


def _chooses(rule: Scorer, outcome: Outcome) -> bool:
    """Whether a scorer chooses what the log says was chosen."""
    return bool(outcome.options) and rule.predict(outcome).predicted == outcome.predicted


def _is_accuracy(outcome: Outcome) -> bool:
    """Whether the score is the credit of the chosen option."""
    return bool(
        outcome.option_credits
        and (outcome.predicted is not None or outcome.text is not None)
        and ACCURACY.score(outcome) == outcome.score
    )


def _check_data(cells: Sequence[LoggedCell]) -> None:
    """Refuse wordings whose examples of one name are not the same: their differences would not be of the wording."""
    known: dict[tuple[str, str], tuple[str, LoggedCell]] = {}
    for cell in cells:
        for example, data in cell.data.items():
            first, other = known.setdefault((cell.place.task, example), (data, cell))
            if first != data:
                raise FileError(
                    f"the example {example!r} of {cell.place.task} is not that of {other.where}",
                    expected="the same data under every wording",
                    where=cell.where,
                    hint="If both are the same question, --example FIELD names what identifies it; if these are "
                    "several tasks, --wordings says how their names are made",
                )


class _Mean(NamedTuple):
    """The mean of a wording's outcomes in all repeats, next to the one that the log reports."""

    cell: LoggedCell
    mean: float
    num_outcomes: int

    @property
    def differs(self) -> bool:
        reported = self.cell.headline
        return reported is None or not math.isclose(reported, self.mean, rel_tol=_SAME_MEAN, abs_tol=_SAME_MEAN)


def _means(cells: Sequence[_Examined]) -> list[_Mean]:
    repeats: dict[LogPlace, list[_Examined]] = {}
    for each in cells:
        if each.cell.headline is not None:
            repeats.setdefault(each.cell.place._replace(repeat=0, fewshot_seed=0), []).append(each)
    found: list[_Mean] = []
    for same in repeats.values():
        count = sum(len(each.cell.outcomes) for each in same)
        found.append(_Mean(same[0].cell, math.fsum(each.total for each in same) / count, count))
    return found


def _have(count: int) -> str:
    return "outcome has" if count == 1 else f"{count} outcomes have"


def _without_logprobs(cells: Sequence[_Examined]) -> list[str]:
    """The scores whose log-probabilities are left out."""
    lines: list[str] = []
    for name in dict.fromkeys(each.cell.place.score for each in cells):
        same = [each for each in cells if each.cell.place.score == name]
        total = sum(len(each.cell.outcomes) for each in same)
        known = sum(each.with_logprobs for each in same)
        misfits = sum(each.misfits for each in same)
        why = ""
        if 0 < known < total:
            why = f"{total - known} of {total} outcomes have none"
        elif misfits:
            why = f"in {misfits} of {total} outcomes they choose another option than the log says"
        if why:
            lines.append(f"{name}: the log-probabilities of the options are left out: {why}")
    return lines


def _without_score(log: Log, cells: Sequence[LoggedCell]) -> list[str]:
    """The wordings that are left out, since none of their examples has a score."""
    read = {(cell.place.task, cell.place.wording) for cell in cells}
    lost = {
        (cell.place.task, cell.place.wording): cell.where
        for cell in log.cells
        if not cell.outcomes and cell.place.model == cells[0].place.model
    }
    return [
        f"{where}: no example of {task} has a score under the wording {wording!r}, which is left out"
        for (task, wording), where in lost.items()
        if (task, wording) not in read
    ]


def _incomplete(cells: Sequence[LoggedCell], counts: Mapping[tuple[str, str], Counter[str]]) -> list[str]:
    """What a comparison of wordings lacks: examples that some of them do not have."""
    lines: list[str] = []
    wordings = {(cell.place.task, cell.place.wording) for cell in cells}
    if len(wordings) == len({task for task, _ in wordings}):
        lines.append(
            "each task has one wording, and a spread takes two: --wordings says what names them, such as the variants "
            "of a task"
        )
    for (task, score), count in counts.items():
        same = sum((cell.place.task, cell.place.score) == (task, score) for cell in cells)
        lacking = sum(times < same for times in count.values())
        if lacking == len(count):
            lines.append(
                f"{task}: no example has {score} under every wording, so statistics of examples are not possible"
            )
        elif lacking:
            lines.append(
                f"{task}: {lacking} of {len(count)} examples lack {score} under some wording; statistics of examples "
                "leave them out"
            )
    return lines


def _named(cells: Sequence[_Examined], request: LogRequest, groups: Mapping[str, str]) -> list[ImportedCell]:
    ways: dict[str, tuple[str, str]] = {}
    for name in dict.fromkeys(each.cell.place.score for each in cells):
        same = [each for each in cells if each.cell.place.score == name]
        way = _scoring_of(same), _metric_of(same, name, request)
        ways[name] = way if way not in ways.values() else (IMPORTED, scaled_name(name, request.scale))
    found: list[ImportedCell] = []
    for each in cells:
        cell, place = each.cell, each.cell.place
        scoring, metric = ways[place.score]
        if scoring == IMPORTED and each.with_logprobs:
            cell = replace(cell, outcomes=MappedOutcomes(cell.outcomes, _without_options))
        group = (group_of(place.wording, groups) if groups else cell.group) or ("" if groups else DEFAULT_GROUP)
        if not group:
            raise UsageError(
                f"no group fits the wording {place.wording!r}",
                expected=f"one of the patterns {', '.join(groups.values())}",
                where="--group",
            )
        identity = content_hash([IMPORTED, list(place), scoring, metric, group, list(map(_hashable, cell.outcomes))])
        category = cell.category or place.task
        shots = place.num_fewshot, place.fewshot_seed
        found.append(
            ImportedCell(
                Cell(
                    identity, place.task, category, place.wording, group, *shots, len(cell.outcomes),
                    scoring=scoring, metric=metric, repeat=place.repeat,
                ),
                cell,
            )
        )  # fmt: skip
    # The first scoring of a run is the one that commands show: the one with log-probabilities, where there is one.
    return sorted(found, key=lambda each: each.cell.scoring == IMPORTED)


def _scoring_of(cells: Sequence[_Examined]) -> str:
    """The scorer whose choices are those of the log, under every outcome; `imported` if there is none."""
    names = {each.cell.scoring for each in cells}
    name = names.pop() if len(names) == 1 and not any(each.misfits for each in cells) else None
    return name or IMPORTED


def _metric_of(cells: Sequence[_Examined], name: str, request: LogRequest) -> str:
    """`accuracy` where every score is the credit of the chosen option; else the log's score by its name."""
    return ACCURACY.name if all(each.is_accuracy for each in cells) else scaled_name(name, request.scale)


def _hashable(outcome: Outcome) -> Outcome | str:
    """An outcome for `content_hash`, which takes finite numbers only: an option that no list has is impossible."""
    is_finite = all(map(math.isfinite, (*outcome.option_logprobs, *outcome.option_upper_logprobs)))
    return outcome if is_finite else repr(outcome)


def _without_options(outcome: Outcome) -> Outcome:
    """The outcome without log-probabilities, which do not explain its score."""
    return replace(
        outcome, option_logprobs=(), option_upper_logprobs=(), option_tokens=(), is_open=None, text=outcome.text or ""
    )
