"""Two runs compared on the same wordings and examples: paired differences with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from phraseproof.analysis.aggregation import Level, by_level, paper_weights
from phraseproof.analysis.estimators.crossed import Sample, Term, crossed_mean, draw_samples
from phraseproof.analysis.estimators.resampling import RESAMPLES, Resampler
from phraseproof.analysis.grids import TaskGrid
from phraseproof.analysis.significance.holm import holm
from phraseproof.analysis.significance.mcnemar import mcnemar
from phraseproof.core import Finding
from phraseproof.errors import NotEnoughDataError, PhraseproofError

_ALL = "all wordings"


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """A task, a category or everything.

    Attributes:
        groups: by group the mean of after minus before, with interval and p-value.
        all: the same over the wordings of all groups together; each distinct group and wording counts once.
        balanced: the mean of the groups' differences: each group counts equally, however many wordings it has.
    """

    level: Level
    name: str
    category: str
    groups: Mapping[str, Finding]
    all: Finding
    balanced: Finding


@dataclass(frozen=True, slots=True)
class WordingComparison:
    """One wording on one task.

    Attributes:
        before, after: its mean scores in the two runs, on the examples they share.
        finding: after minus before with McNemar's p; `None` where that is not defined.
        p_holm: the p-value after Holm's correction over all wordings and tasks at this number of demonstrations.
        why_not: where `finding` is `None`, why.
    """

    task: str
    category: str
    group: str
    instruction: str
    before: float
    after: float
    finding: Finding | None
    p_holm: float | None
    why_not: str | None


@dataclass(frozen=True, slots=True)
class RunComparison:
    """Two runs at one number of demonstrations, over what both hold.

    Attributes:
        notes: what only one of the runs holds, and was left out.
    """

    num_fewshot: int
    groups: tuple[str, ...]
    tasks: tuple[ComparisonRow, ...]
    categories: tuple[ComparisonRow, ...]
    overall: ComparisonRow
    wordings: tuple[WordingComparison, ...]
    notes: tuple[str, ...]


def compare_runs(
    before: Sequence[TaskGrid], after: Sequence[TaskGrid], *, seed: int = 0, resamples: int = RESAMPLES
) -> tuple[RunComparison, ...]:
    """Paired differences, after minus before, over the tasks, groups, wordings and examples that both runs hold.

    The same questions are answered twice under the same wordings, so differences are resampled: the difficulty of a
    question and the effect of a wording cancel.

    Args:
        before, after: as `grids.load_grids` gives them.
        seed, resamples: of the crossed bootstrap.

    Returns:
        One comparison for each number of demonstrations that both have, ascending.

    Raises:
        NotEnoughDataError: the runs have no wording in common on any task.
    """
    earlier = {(grid.task, grid.num_fewshot): grid for grid in before}
    pairs: list[tuple[TaskGrid, TaskGrid]] = []
    notes: dict[int, list[str]] = {}
    for grid in after:
        match = earlier.get((grid.task, grid.num_fewshot))
        if match is not None and (pair := _align(match, grid)) is not None:
            pairs.append(pair)
            notes.setdefault(grid.num_fewshot, []).extend(_left_out(match, grid, pair[1]))
    if not pairs:
        raise NotEnoughDataError(
            "the two runs have no wording in common on any task",
            got=_unlike(before, after),
            hint="Evaluate both on the same tasks and instructions, or give imported wordings the same group and name: "
            "import-results --group NAME=PATTERN, or the columns group and wording of a table",
        )
    lost = {(grid.task, grid.num_fewshot) for grid in (*before, *after)} - {(g.task, g.num_fewshot) for _, g in pairs}
    for task, shots in sorted(lost):
        notes.setdefault(shots, []).append(f"{task}: no wording in common; left out.")
    return tuple(
        _compare([pair for pair in pairs if pair[1].num_fewshot == shots], notes[shots], Resampler(seed, resamples))
        for shots in sorted({grid.num_fewshot for _, grid in pairs})
    )


def _compare(pairs: Sequence[tuple[TaskGrid, TaskGrid]], notes: Sequence[str], resampler: Resampler) -> RunComparison:
    differences = [after.minus(before) for before, after in pairs]
    groups = tuple(dict.fromkeys(group for grid in differences for group in grid.groups))
    by_group = [draw_samples(grid, resampler) for grid in differences]
    together = [draw_samples(replace(grid, groups=(_ALL,) * len(grid.groups)), resampler)[_ALL] for grid in differences]

    def row(level: Level, name: str, category: str) -> ComparisonRow:
        chosen = [n for n, grid in enumerate(differences) if level is Level.OVERALL or grid.category == category]
        if level is Level.TASK:
            chosen = [n for n in chosen if differences[n].task == name]
        samples = {group: [by_group[n][group] for n in chosen if group in by_group[n]] for group in groups}
        samples = {group: members for group, members in samples.items() if members}
        found = {group: _mean([members], f"{group}, after minus before") for group, members in samples.items()}
        everything = _mean([[together[n] for n in chosen]], "after minus before")
        balanced = _mean(list(samples.values()), "mean of groups, after minus before")
        return ComparisonRow(level, name, category, found, everything, balanced)

    tasks, categories, overall = by_level(
        [row(Level.TASK, grid.task, grid.category) for grid in differences],
        category=lambda task: task.category,
        combine=lambda level, name, _: row(level, name, "" if level is Level.OVERALL else name),
    )
    return RunComparison(differences[0].num_fewshot, groups, tasks, categories, overall, _wordings(pairs), tuple(notes))


def _mean(groups: Sequence[Sequence[Sample]], name: str) -> Finding:
    """The mean over groups of the mean over tasks, each as the paper averages."""
    terms = [
        Term(sample, weight / len(groups))
        for samples in groups
        for sample, weight in zip(samples, paper_weights([each.grid.category for each in samples]), strict=True)
    ]
    return crossed_mean(terms, name=name, is_difference=True)


def _align(before: TaskGrid, after: TaskGrid) -> tuple[TaskGrid, TaskGrid] | None:
    """Both grids on the wordings and examples that they share, in the same order; `None` if they share no wording.

    A wording is the same if its group, name and text are; imported results may lack the text.
    """
    pairs = [
        (first, second)
        for first, second in _same_names(before, after)
        if _is_one_text(before.keys[first], after.keys[second])
    ]
    if not pairs:
        return None
    earlier, later = before.take([first for first, _ in pairs]), after.take([second for _, second in pairs])
    if earlier.table is None or later.table is None:
        return replace(earlier, table=None, answers=None), replace(later, table=None, answers=None)
    column = {name: position for position, name in enumerate(before.examples)}
    shared = [name for name in after.examples if name in column]
    if len(shared) == len(after.examples) == len(before.examples) and before.examples == after.examples:
        return earlier, later
    if not shared:
        return None
    here = {name: position for position, name in enumerate(after.examples)}
    return earlier.on([column[name] for name in shared]), later.on([here[name] for name in shared])


def _same_names(before: TaskGrid, after: TaskGrid) -> list[tuple[int, int]]:
    """The rows of the wordings that have the same group and name in both, in the order of `after`."""
    place = {named: row for row, named in enumerate(zip(before.groups, before.wordings, strict=True))}
    names = enumerate(zip(after.groups, after.wordings, strict=True))
    return [(place[named], row) for row, named in names if named in place]


def _is_one_text(first: str, second: str) -> bool:
    """Whether two keys of one wording have the same text, as far as both have one."""
    texts = {key.partition("\0")[2] for key in (first, second)} - {""}
    return len(texts) <= 1


def _unlike(before: Sequence[TaskGrid], after: Sequence[TaskGrid]) -> str:
    """Why runs share nothing: the first task with its first wording in both runs, or the tasks."""
    earlier = {(grid.task, grid.num_fewshot): grid for grid in before}
    for grid in after:
        match = earlier.get((grid.task, grid.num_fewshot))
        if match is None:
            continue
        named = _same_names(match, grid)
        if named:
            is_text = not any(_is_one_text(match.keys[first], grid.keys[second]) for first, second in named)
            return f"{grid.task}: wordings of the same names, with other {'texts' if is_text else 'examples'}"
        first, second = (f"{each.wordings[0]!r} in the group {each.groups[0]!r}" for each in (match, grid))
        return f"{grid.task}: {first}, and {second}"
    first, second = (
        ", ".join(f"{each.task} {each.num_fewshot}-shot" for each in grids[:3]) for grids in (before, after)
    )
    return f"the tasks {first}, and {second}"


def _left_out(before: TaskGrid, after: TaskGrid, shared: TaskGrid) -> list[str]:
    notes: list[str] = []
    for word, grid in (("first", before), ("second", after)):
        wordings = len(grid.wordings) - len(shared.wordings)
        if wordings:
            notes.append(f"{shared.task}: {wordings} wordings only in the {word} run; left out.")
        examples = len(grid.examples) - len(shared.examples)
        if examples and shared.examples:
            notes.append(f"{shared.task}: {examples} examples only in the {word} run; left out.")
    return notes


def _wordings(pairs: Sequence[tuple[TaskGrid, TaskGrid]]) -> tuple[WordingComparison, ...]:
    found: list[WordingComparison] = []
    for before, after in pairs:
        for row, instruction in enumerate(after.wordings):
            finding, why_not = _tested(before, after, row)
            means = float(before.means[row]), float(after.means[row])
            found.append(
                WordingComparison(
                    after.task, after.category, after.groups[row], instruction, *means, finding, None, why_not
                )
            )
    tested = [each.finding.p_value for each in found if each.finding and each.finding.p_value is not None]
    corrected = iter(holm(tested))
    return tuple(
        replace(each, p_holm=next(corrected)) if each.finding and each.finding.p_value is not None else each
        for each in found
    )


def _tested(before: TaskGrid, after: TaskGrid, row: int) -> tuple[Finding | None, str | None]:
    if before.table is None or after.table is None:
        return None, "no outcomes of examples"
    try:
        after.metric.require_binary("McNemar's test")
        return mcnemar(before.table.row(row), after.table.row(row), name="after minus before"), None
    except PhraseproofError as error:
        return None, error.problem
