"""From planned cells to outcomes: what is stored is reused, the rest is scored and journaled as it comes."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple, Protocol, TypeAlias

from phraseproof.core import Cell, CutText, Example, Model, OptionScores, Outcome, Prompt, Task
from phraseproof.errors import ModelError, RunError
from phraseproof.evaluation.ask_model import AskedModel
from phraseproof.evaluation.near_ties import NearTies, PromptError
from phraseproof.evaluation.plan import PlannedCell
from phraseproof.evaluation.reuse import Reuse, without
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.instructions.render import opened_thought
from phraseproof.scoring.metric import CellKey
from phraseproof.scoring.registry import metric, scorer
from phraseproof.store.journal import StoredOutcome
from phraseproof.store.usage import Usage, total
from phraseproof.store.writer import RunStore

JOURNAL_INTERVAL_S = 1.0
"""Outcomes are journaled at least so often while the model hands them over: a kill loses no more than that."""

PromptsOf: TypeAlias = Callable[[PlannedCell], list[Prompt]]
Count: TypeAlias = Callable[[int], None]


class ScoredCell(NamedTuple):
    """A complete cell.

    Attributes:
        outcomes: in the order of the examples.
        usage: what they cost.
        remarks: for each sum of `PromptRemark`, how many of the prompts scored now have it.
        rescored: the errors of the near-ties that were scored again now, without those that are in a journal.
    """

    outcomes: list[Outcome]
    usage: Usage
    remarks: Mapping[int, int]
    rescored: Sequence[PromptError] = ()


class Outlet(Protocol):
    """Where outcomes are looked for before they are computed, and where they go as they come."""

    @property
    def takes_all(self) -> bool:
        """Whether it receives every outcome, also those of cells that are complete when the call ends."""
        ...

    def stored(self, planned: Sequence[PlannedCell]) -> list[dict[str, StoredOutcome]]:
        """What is stored of each cell, by example."""
        ...

    def append(self, cell: Cell, rows: Sequence[StoredOutcome], rescored: Sequence[PromptError]) -> None:
        """Take outcomes of a cell that is not complete, and the errors of those that were scored again."""
        ...


class FolderOutlet:
    """The run folder: its files and journals.

    Args:
        store: the folder.
        reuse: finds stored outcomes.
        near_ties: counts what was scored again.
    """

    def __init__(self, store: RunStore, reuse: Reuse, near_ties: NearTies | None) -> None:
        self._store, self._reuse, self._near_ties = store, reuse, near_ties

    @property
    def takes_all(self) -> bool:
        """A complete cell is written as a whole."""
        return False

    def stored(self, planned: Sequence[PlannedCell]) -> list[dict[str, StoredOutcome]]:
        """What the folder holds of each cell, by example."""
        files = self._store.files()
        return [self._reuse.stored(each, files) for each in planned]

    def append(self, cell: Cell, rows: Sequence[StoredOutcome], rescored: Sequence[PromptError]) -> None:
        """Write outcomes into the cell's journal."""
        self._store.append(cell, rows)
        if self._near_ties is not None:
            self._near_ties.count(rescored)


class _Place(NamedTuple):
    """Where the scores of a prompt belong."""

    cell: Cell
    task: Task
    example: Example
    prompt: Prompt


class CellScorer:
    """Scores cells; what comes back is complete, or the error of the cell.

    Args:
        model: what scores.
        settings: scorer, metric, and whether prompts are stored.
        prompts_of: renders the prompts of a cell, in the order of its examples.
        outlet: where outcomes are looked for and journaled.
        near_ties: scores near-ties again in float32; `None` leaves them.
    """

    def __init__(
        self,
        model: Model,
        settings: EvaluationSpec,
        prompts_of: PromptsOf,
        outlet: Outlet,
        near_ties: NearTies | None,
    ) -> None:
        self._asked = AskedModel(model, settings)
        self._settings = settings
        self._prompts_of = prompts_of
        self._outlet = outlet
        self._near_ties = near_ties

    def __call__(self, planned: Sequence[PlannedCell], count: Count) -> list[ScoredCell | Exception]:
        """Score some cells together.

        Args:
            planned: cells that this process holds a claim on.
            count: called with the number of prompts that are done.

        Raises:
            Exception: the model failed as a whole. What it had scored is in the journals by then.
        """
        stored = self._outlet.stored(planned)
        count(sum(map(len, stored)))
        places = [
            _Place(each.cell, rest.task, example, prompt)
            for each, known in zip(planned, stored, strict=True)
            if (rest := without(each, known)).task.examples
            for example, prompt in zip(rest.task.examples, self._prompts_of(rest), strict=True)
        ]
        recorder = _Recorder(self._outlet, self._settings, places)
        failures = self._score(places, recorder, count)
        if failures or self._outlet.takes_all:
            recorder.journal()
        found: list[ScoredCell | Exception] = []
        for each, known in zip(planned, stored, strict=True):
            if each.cell in failures:
                found.append(failures[each.cell])
                continue
            rows = {**known, **recorder.of(each.cell)}
            ordered = [rows[example.id] for example in each.task.examples]
            usage = total(row.usage for row in rows.values())
            outcomes = [row.outcome for row in ordered]
            found.append(ScoredCell(outcomes, usage, recorder.remarks(each.cell), recorder.rescored(each.cell)))
        return found

    def _score(self, places: Sequence[_Place], recorder: _Recorder, count: Count) -> dict[Cell, Exception]:
        failures: dict[Cell, Exception] = {}
        near: dict[int, OptionScores] = {}
        prompts = [place.prompt for place in places]

        def take(index: int, scores: OptionScores | ModelError) -> None:
            if isinstance(scores, ModelError):
                failures.setdefault(places[index].cell, scores)
            elif self._near_ties is not None and self._near_ties.is_near(scores, prompts[index]):
                near[index] = scores
            else:
                record(index, scores)
            count(1)

        def record(index: int, scores: OptionScores, error: PromptError | None = None) -> None:
            try:
                recorder.add(index, scores, error)
            except ValueError as problem:
                failures.setdefault(places[index].cell, problem)

        try:
            self._asked.stream(prompts, [place.cell.repeat for place in places], take)
            if self._near_ties is not None and near:
                again = self._near_ties.again(list(near.values()), [prompts[index] for index in near])
                for index, rescored in zip(near, again, strict=True):
                    record(index, *rescored)
        except BaseException:
            # Also Ctrl-C: whatever ends the call, what was scored is kept.
            with suppress(RunError):
                recorder.journal()
            raise
        recorder.share_cost()
        return failures


class _Recorder:
    """Turns scores into outcomes with their cost, and journals them now and then."""

    def __init__(self, outlet: Outlet, settings: EvaluationSpec, places: Sequence[_Place]) -> None:
        self._outlet = outlet
        self._scorer, self._metric = scorer(settings.scoring), metric(settings.metric)
        self._logs_samples = settings.log_samples
        self._places = places
        self._rows: dict[Cell, dict[str, StoredOutcome]] = {}
        self._remarks: dict[Cell, Counter[int]] = {}
        self._fresh: list[tuple[_Place, OptionScores, Outcome]] = []
        self._unwritten: dict[Cell, list[StoredOutcome]] = {}
        self._rescored: dict[Cell, list[PromptError]] = {}
        self._cpu_s, self._wall_s = time.process_time(), time.perf_counter()
        self._journaled_s = self._wall_s

    def add(self, index: int, scores: OptionScores, error: PromptError | None = None) -> None:
        """Take the scores of the prompt at a place, with the error of a near-tie that was scored again.

        Raises:
            ValueError: they cannot be read, as those that are not numbers.
        """
        place = self._places[index]
        self._fresh.append((place, scores, self._outcome(place, scores)))
        if error is not None:
            self._rescored.setdefault(place.cell, []).append(error)
        if scores.remarks:
            self._remarks.setdefault(place.cell, Counter())[scores.remarks] += 1
        if time.perf_counter() - self._journaled_s >= JOURNAL_INTERVAL_S:
            self.journal()

    def of(self, cell: Cell) -> dict[str, StoredOutcome]:
        """The outcomes of a cell, by example."""
        return self._rows.get(cell, {})

    def rescored(self, cell: Cell) -> Sequence[PromptError]:
        """The errors of a cell's near-ties whose outcomes are not in the journal."""
        return self._rescored.get(cell, ())

    def remarks(self, cell: Cell) -> Mapping[int, int]:
        """How many prompts of a cell have each sum of remarks."""
        return self._remarks.get(cell, {})

    def share_cost(self) -> None:
        """Share the time since the last call among the outcomes that came since, by the tokens that they took."""
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        whole = Usage(cpu_s - self._cpu_s, wall_s - self._wall_s)
        computed = sum(scores.computed_tokens for _, scores, _ in self._fresh)
        for place, scores, outcome in self._fresh:
            # Of servers that do not say how many tokens they computed, each answer counts the same.
            cost = whole.part(scores.computed_tokens / computed if computed else 1 / len(self._fresh))
            usage = replace(cost, tokens_asked=scores.asked_tokens, tokens_computed=scores.computed_tokens)
            row = StoredOutcome(outcome, usage)
            self._rows.setdefault(place.cell, {})[place.example.id] = row
            self._unwritten.setdefault(place.cell, []).append(row)
        self._fresh.clear()
        self._cpu_s, self._wall_s = cpu_s, wall_s

    def journal(self) -> None:
        """Write what is not in a journal yet."""
        self.share_cost()
        for cell, rows in self._unwritten.items():
            self._outlet.append(cell, rows, self._rescored.pop(cell, ()))
        self._unwritten.clear()
        self._journaled_s = time.perf_counter()

    def _outcome(self, place: _Place, scores: OptionScores) -> Outcome:
        prompt = place.prompt
        outcome = Outcome(
            example_id=place.example.id,
            score=math.nan,
            options=prompt.options,
            option_logprobs=scores.logprobs,
            option_tokens=scores.option_tokens,
            option_credits=place.example.option_scores,
            option_upper_logprobs=scores.upper_logprobs,
            # Where the prompt opened a thought, the text begins inside it.
            text=None if scores.text is None else opened_thought(prompt) + scores.text,
            is_cut=isinstance(scores.text, CutText) if scores.text is not None else None,
            reference=place.example.reference,
            other_references=place.example.other_references,
            target=place.example.target if place.example.choices else None,
            prompt_tokens=scores.prompt_tokens,
            computed_tokens=scores.computed_tokens,
            truncated_tokens=scores.truncated,
            prompt=prompt.text if self._logs_samples else None,
        )
        outcome = self._scorer.predict(outcome, place.example.choices)
        judge = self._metric.of_task(place.task).in_cell(CellKey.of(place.cell), (outcome.example_id,))
        return judge.judge([outcome])[0]
