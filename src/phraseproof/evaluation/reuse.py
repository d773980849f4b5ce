"""Find stored outcomes that are used again, by one mechanism for everything that a run folder may hold.

A cell's outcomes are found example by example in

* files of the same whole cell: other parts of it (`--budget`), the whole, and journals of stopped runs;
* cells of the same wording on a smaller sample (`--limit`): their identities are computed from the samples that
  `run.json` lists, so outcomes are reused only where data, wording, demonstrations and format are equal;
* cells under another scorer that needs the same numbers of the model, or under another metric, from which choice and
  score are derived.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import NamedTuple

from phraseproof.core import Example, Outcome, Task
from phraseproof.errors import MissingExtraError, UsageError
from phraseproof.evaluation.plan import CellIdentities, PlannedCell, reads_option_from_text, sample_task
from phraseproof.scoring.extraction import OLDER_RULES
from phraseproof.scoring.metric import CellKey
from phraseproof.scoring.registry import knows_scorer, metric, metric_identity, scorer
from phraseproof.store.cell_files import CellFiles, whole_identity
from phraseproof.store.journal import StoredOutcome
from phraseproof.store.run_file import STRATIFIED, EvaluatedSample
from phraseproof.store.usage import Usage


class Source(NamedTuple):
    """A whole cell whose outcomes can be used for another one.

    Attributes:
        identity: of the cell.
        scoring, metric: what its outcomes were read and judged by.
        is_older: whether options were read from its texts by older rules.
    """

    identity: str
    scoring: str
    metric: str
    is_older: bool = False


class Reuse:
    """Finds what is stored of planned cells.

    Args:
        tasks: the tasks in full, before any sample was drawn.
        identities: of this model and format.
        samples: what the run folder was evaluated with so far.
        derives: whether outcomes may be derived from other scorers. Off if near-ties are scored again, because the
            near-ties depend on the scorer.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        identities: CellIdentities,
        samples: Sequence[EvaluatedSample],
        *,
        derives: bool = True,
    ) -> None:
        self._identities = identities
        self._sampled = {
            (task.name, sample.limit, sample.seed, sample.sample): sample_task(
                task, sample.limit, sample.seed, is_stratified=sample.sample == STRATIFIED
            )
            for task in tasks
            for sample in samples
        }
        self._samples = tuple(sample for sample in samples if _can_be_found(sample.metric))
        self._derives = derives

    def sources(self, planned: PlannedCell) -> list[Source]:
        """The whole cells with outcomes for this one: the cell's own whole first."""
        cell = planned.cell
        found = {whole_identity(cell.identity): Source(whole_identity(cell.identity), cell.scoring, cell.metric)}
        for sample in self._samples:
            is_same = (sample.scoring, sample.metric) == (cell.scoring, cell.metric)
            if not is_same and not (self._derives and _can_derive(cell.scoring, sample.scoring)):
                continue
            task = self._sampled[cell.task, sample.limit, sample.seed, sample.sample]
            # Texts of older versions are read again.
            is_read = reads_option_from_text(task, sample.scoring)
            older = [self._identities.under_rules(each) for each in OLDER_RULES] if is_read else []
            for identities in (self._identities, *older):
                identity = identities.of(
                    task,
                    planned.wording.instruction,
                    cell.num_fewshot,
                    cell.fewshot_seed,
                    scoring=sample.scoring,
                    metric=sample.metric,
                    repeat=cell.repeat,
                    option_order=cell.option_order,
                )
                found.setdefault(
                    identity, Source(identity, sample.scoring, sample.metric, is_older=identities in older)
                )
        return list(found.values())

    def identities(self, planned: PlannedCell) -> list[str]:
        """The identities of `sources`."""
        return [source.identity for source in self.sources(planned)]

    def held(self, planned: PlannedCell, files: CellFiles) -> set[str]:
        """The names of the examples that `stored` has outcomes of; no metric is computed."""
        wanted = {example.id for example in planned.task.examples}
        return wanted & {
            name
            for source in self.sources(planned)
            for rows in files.stored(planned.cell.task, source.identity)
            for name in rows
        }

    def stored(self, planned: PlannedCell, files: CellFiles) -> dict[str, StoredOutcome]:
        """The stored outcomes of a cell's examples, by example, as they would be under the cell's scorer and metric."""
        wanted = {example.id: example for example in planned.task.examples}
        found: dict[str, StoredOutcome] = {}
        for source in self.sources(planned):
            for rows in files.stored(planned.cell.task, source.identity):
                names = [name for name in wanted if name in rows and name not in found]
                derived = _as_if_scored([(rows[name].outcome, wanted[name]) for name in names], source, planned)
                # A derived outcome costs nothing; an outcome of a smaller sample keeps its cost.
                is_own = (source.scoring, source.metric) == (planned.cell.scoring, planned.cell.metric)
                for name, outcome in zip(names, derived, strict=True):
                    found[name] = StoredOutcome(outcome, rows[name].usage if is_own else Usage())
            if len(found) == len(wanted):
                break
        return found


def _can_be_found(judge: str) -> bool:
    """Whether cells of a metric can be identified: not where files or packages of it are not here any more."""
    try:
        metric_identity(judge)
    except (UsageError, MissingExtraError):
        return False
    return True


def _can_derive(wanted: str, stored: str) -> bool:
    return knows_scorer(stored) and scorer(wanted).can_derive_from(scorer(stored))


def without(planned: PlannedCell, examples: Collection[str]) -> PlannedCell:
    """The cell without these of its examples."""
    if not examples:
        return planned
    rest = tuple(example for example in planned.task.examples if example.id not in examples)
    # Demonstrations may still come from all of the task's examples.
    demonstrations = planned.task.demonstrations or planned.task.examples
    return planned._replace(task=replace(planned.task, examples=rest, demonstrations=demonstrations))


def _as_if_scored(rows: Sequence[tuple[Outcome, Example]], source: Source, planned: PlannedCell) -> list[Outcome]:
    """Outcomes of a source as the cell's scorer and metric give them."""
    cell = planned.cell
    outcomes: list[Outcome] = []
    for stored, example in rows:
        # Credits are absent where they were not stored yet.
        outcome = stored if stored.option_credits else replace(stored, option_credits=example.option_scores)
        if source.scoring != cell.scoring or source.is_older:
            outcome = scorer(cell.scoring).predict(outcome, example.choices)
        outcomes.append(outcome)
    is_same = (source.scoring, source.metric) == (cell.scoring, cell.metric) and not source.is_older
    if is_same:
        return outcomes
    judge = metric(cell.metric).of_task(planned.task).in_cell(CellKey.of(cell), (example.id for _, example in rows))
    return judge.judge(outcomes)
