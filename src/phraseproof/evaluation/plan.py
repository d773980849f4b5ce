"""The grid of an evaluation: which cells there are, over which examples, and in which order they are computed.

Everything here is a pure function of its arguments: no model is run and no file is touched.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import product
from typing import NamedTuple

from phraseproof.core import Cell, Example, Instruction, Model, ModelIdentity, Task
from phraseproof.core.classes import shared_options
from phraseproof.errors import UsageError
from phraseproof.evaluation.half_precision import RESCORED
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.identity import content_hash
from phraseproof.instructions.option_order import lists_options, number_of_orders
from phraseproof.instructions.template import CompiledInstruction
from phraseproof.scoring.extraction import READING_RULES
from phraseproof.scoring.metric import CellKey
from phraseproof.scoring.registry import DEFAULT_METRIC, metric_identity, reads_text
from phraseproof.store.run_file import GENERATION


class PlannedCell(NamedTuple):
    """A cell with what is needed to compute it."""

    cell: Cell
    task: Task
    wording: CompiledInstruction


def classes_of(task: Task) -> tuple[str, ...] | None:
    """The right answer of each example, where all choose among the same texts (`shared_options`); else `None`."""
    if shared_options(example.choices for example in task.examples) is None:
        return None
    return tuple(_answer(example) for example in task.examples)


def _answer(example: Example) -> str:
    return example.choices[example.target]


def sample_task(task: Task, limit: int | None, seed: int, *, is_stratified: bool = False) -> Task:
    """The task with at most `limit` examples, in their original order.

    Examples are ranked by a hash of seed, task and id, so the sample is the same on every machine and version, and a
    smaller one is part of a larger one. Demonstrations may still come from all of the task's examples.

    Args:
        task: the task in full.
        limit: the largest number of examples; `None` for all.
        seed: the seed of the ranks.
        is_stratified: draw each class in proportion to its size, where the task has classes (`classes_of`).
    """
    if limit is None or len(task.examples) <= limit:
        return task

    ranked = rank_examples(task, seed)
    if is_stratified and classes_of(task) is not None:
        ranked = _interleaved(ranked)
    chosen = {example.id for example in ranked[:limit]}
    kept = tuple(example for example in task.examples if example.id in chosen)
    return replace(task, examples=kept, demonstrations=task.demonstrations or task.examples)


def rank_examples(task: Task, seed: int) -> list[Example]:
    """A task's examples in the order in which a random sample draws them."""

    def rank(example: Example) -> bytes:
        return hashlib.blake2b(f"{seed}\0{task.name}\0{example.id}".encode(), digest_size=16).digest()

    return sorted(task.examples, key=rank)


def _interleaved(ranked: Sequence[Example]) -> list[Example]:
    """Ranked examples so that every beginning of the list has each class in proportion to its size."""
    sizes = Counter(map(_answer, ranked))
    met: Counter[str] = Counter()
    places: list[tuple[float, int]] = []
    for index, example in enumerate(ranked):
        # The k-th of n examples of a class is placed at the middle of the k-th of n equal parts.
        answer = _answer(example)
        places.append(((met[answer] + 0.5) / sizes[answer], index))
        met[answer] += 1
    return [ranked[index] for _, index in sorted(places)]


class CellIdentities:
    """Computes the identities of cells; a task's data is hashed once per sample of it.

    Args:
        model: what the model is, in full.
        prompt_format: how prompts are written, resolved.
        is_rescored: near-ties are scored again in float32.
        generation: how texts are generated, for scorers that read texts.
        reading_rules: the version of the rules by which options are read from texts; `None` for the first one.
    """

    def __init__(
        self,
        model: ModelIdentity,
        prompt_format: str,
        *,
        is_rescored: bool = False,
        generation: Mapping[str, object] | None = None,
        reading_rules: int | None = READING_RULES,
    ) -> None:
        self._identity = model
        self._model = asdict(model)
        self._format = prompt_format
        self._is_rescored = is_rescored
        self._generation = generation or {}
        self._rules = reading_rules
        # The task is stored with its hashes, so that no other object gets its id().
        self._hashes: dict[int, tuple[Task, str, str]] = {}

    @classmethod
    def of_evaluation(cls, model: Model, spec: EvaluationSpec) -> CellIdentities:
        """The identities of an evaluation's cells.

        Args:
            model: what is evaluated.
            spec: with `prompt_format` and `rescore_ties` resolved.
        """
        return cls(model.identity, spec.prompt_format, is_rescored=spec.rescore_ties, generation=spec.generation)

    def under_rules(self, version: int | None) -> CellIdentities:
        """The identities of cells whose options were read from texts by an earlier version of the rules."""
        return CellIdentities(
            self._identity,
            self._format,
            is_rescored=self._is_rescored,
            generation=self._generation,
            reading_rules=version,
        )

    def of(
        self,
        task: Task,
        wording: Instruction,
        shots: int,
        seed: int,
        *,
        scoring: str,
        metric: str,
        repeat: int = 0,
        option_order: int = 0,
    ) -> str:
        """The hash of everything that can change the numbers of a cell.

        Args:
            task: the sampled task.
            wording: the instruction.
            shots, seed: the number of demonstrations, and the seed of their draw.
            scoring, metric, repeat, option_order: as in `Cell`.
        """
        if id(task) not in self._hashes:
            hashes = content_hash([task.kind, task.examples]), _pool_hash(task)
            self._hashes[id(task)] = task, *hashes
        _, data, pool = self._hashes[id(task)]
        key = CellKey(task.name, wording.name, shots, seed if shots else 0, repeat, option_order)
        names = (example.id for example in task.examples)
        return content_hash(
            {
                "model": self._model,
                "wording": what_is_said(wording),
                "data": data,
                "demonstrations": [shots, seed, pool] if shots else None,
                "format": self._format,
                "scoring": scoring,
                # Omitted where they are at their defaults, so that cells of older versions still match.
                **({RESCORED: True} if self._is_rescored else {}),
                **({"metric": metric_identity(metric, key, names, task)} if metric != DEFAULT_METRIC else {}),
                **({GENERATION: dict(self._generation)} if reads_text(scoring) else {}),
                **({"reading_rules": self._rules} if self._rules and reads_option_from_text(task, scoring) else {}),
                **({"repeat": repeat} if repeat else {}),
                **({"option_order": option_order} if option_order else {}),
            }
        )


def _pool_hash(task: Task) -> str:
    """A hash of what demonstrations are drawn from and, where the task has its own rule, by."""
    if task.draws is None:
        return content_hash(task.demonstrations)
    return content_hash([task.demonstrations, task.draws.identity])


def reads_option_from_text(task: Task, scoring: str) -> bool:
    """Whether a scorer reads the chosen option from a generated text."""
    return task.kind.has_options and reads_text(scoring)


def plan_cells(
    tasks: Sequence[Task],
    wordings: Mapping[str, Mapping[str, Sequence[CompiledInstruction]]],
    settings: EvaluationSpec,
    identities: CellIdentities,
) -> list[PlannedCell]:
    """All cells of the grid task x group x wording x shots x order of options x seed x repeat.

    Args:
        tasks: the tasks, already sampled.
        wordings: for each task's name, the wordings of each group.
        settings: with `prompt_format` already resolved.
        identities: of this model and format.

    Raises:
        UsageError: a group holds one wording twice for a task.
    """
    planned: list[PlannedCell] = []
    scoring, metric = settings.scoring, settings.metric
    for task in tasks:
        of_task = wordings[task.name]
        for group, members in of_task.items():
            _require_distinct(task, group, members)
        orders = orders_of_wordings(task, of_task, settings.option_orders)
        for shots in settings.num_fewshot:
            draws = product(
                range(max(orders.values(), default=1)),
                settings.draw_seeds if shots else settings.draw_seeds[:1],
                range(settings.repeats),
            )
            for order, seed, repeat in draws:
                for group, wording in _with_order(of_task, orders, order):
                    identity = identities.of(
                        task,
                        wording.instruction,
                        shots,
                        seed,
                        scoring=scoring,
                        metric=metric,
                        repeat=repeat,
                        option_order=order,
                    )
                    cell = Cell(
                        identity=identity,
                        task=task.name,
                        category=task.category,
                        instruction=wording.instruction.name,
                        group=group,
                        num_fewshot=shots,
                        fewshot_seed=seed if shots else 0,
                        num_examples=len(task.examples),
                        scoring=scoring,
                        metric=metric,
                        repeat=repeat,
                        option_order=order,
                    )
                    planned.append(PlannedCell(cell, task, wording))
    return planned


def orders_of_wordings(
    task: Task, wordings: Mapping[str, Sequence[CompiledInstruction]], asked: int
) -> dict[Instruction, int]:
    """In how many orders of the options each wording of a task is evaluated.

    One, where its prompts do not list the options (`lists_options`), and as many as there are, where the task has few
    options.

    Args:
        task: with examples.
        wordings: by group.
        asked: the number of orders that is asked for.
    """
    exist = number_of_orders(task.examples, asked) if asked > 1 else 1
    return {
        wording.instruction: exist if exist > 1 and lists_options(wording, task.examples) else 1
        for members in wordings.values()
        for wording in members
    }


def _with_order(
    wordings: Mapping[str, Sequence[CompiledInstruction]], orders: Mapping[Instruction, int], order: int
) -> Iterator[tuple[str, CompiledInstruction]]:
    """The wordings that are evaluated in this order of the options, each with its group."""
    for group, members in wordings.items():
        yield from ((group, wording) for wording in members if order < orders[wording.instruction])


def bundle_size(planned: Sequence[PlannedCell], max_prompts: int) -> int:
    """How many of the first cells to compute together: those of one task that hold at most `max_prompts` prompts.

    A model that sees many prompts at once batches and shares prefixes better; the bound limits what is held in memory.
    At least one cell, however large.
    """
    size = prompts = 0
    for each in planned:
        prompts += each.cell.num_examples
        if size and (prompts > max_prompts or each.cell.task != planned[0].cell.task):
            break
        size += 1
    return size


def wording_text(instruction: Instruction) -> str:
    """A wording as one text, its placeholders as they were written."""
    if instruction.template is not None:
        return instruction.template
    parts = [part for part in (instruction.ask, instruction.layout) if part is not None]
    return instruction.separator.join(reversed(parts) if instruction.ask_last else parts)


def what_is_said(instruction: Instruction) -> Mapping[str, object]:
    """The parts of a wording that change prompts or answers: all but provenance and name."""
    names = ("ask", "layout", "template", "ask_last", "separator", "answer")
    # `joint` is the target delimiter's former name. It stays here because stored identities are hashes of these keys.
    said = {name: getattr(instruction, name) for name in names} | {"joint": instruction.target_delimiter}
    # Omitted where there is none, so that the identities of wordings without one still match.
    further = {name: getattr(instruction, name) for name in ("system", "continuation", "fewshot_delimiter")}
    return said | {name: value for name, value in further.items() if value is not None}


def _require_distinct(task: Task, group: str, members: Sequence[CompiledInstruction]) -> None:
    seen: set[str] = set()
    for wording in members:
        if wording.instruction.name in seen:
            raise UsageError(
                f"the wording {wording.instruction.name!r} is twice in the group {group!r} for the task {task.name!r}",
                where=wording.instruction.origin,
                hint="Name each collection once per group",
            )
        seen.add(wording.instruction.name)
