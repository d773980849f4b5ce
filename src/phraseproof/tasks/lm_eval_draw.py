"""The harness's rule for demonstrations: its own sampler, asked for one tested document after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from phraseproof.core import Example, Task
from phraseproof.errors import TaskError
from phraseproof.identity import content_hash


def name_of(number: int) -> str:
    """The id of the demonstration of that number in the pool."""
    return f"demonstration/{number}"


@dataclass(frozen=True)
class HarnessDraw:
    """Draws demonstrations as lm-evaluation-harness does, whose state depends on every document that came before.

    Attributes:
        version: of the harness.
        sampler: the name of its sampler.
        pool: of each demonstration a number, equal where the documents are equal.
        tested: of each tested example, by its id and in the order of the data, the number of its document, which is not
            shown; `None` where the harness does not look whether it is.
        problem: why demonstrations cannot be shown as the harness shows them; empty where they can.
        own: the demonstrations, parallel to `pool`, where they are tested documents, so that the task has none which
            may be trained on. Empty where `Task.demonstrations` has them.
    """

    version: str
    sampler: str
    pool: tuple[int, ...]
    tested: Mapping[str, int | None]
    problem: str = ""
    own: tuple[Example, ...] = ()
    _drawn: dict[tuple[int, int], dict[str, tuple[int, ...]]] = field(
        default_factory=dict[tuple[int, int], "dict[str, tuple[int, ...]]"], compare=False, repr=False
    )

    @property
    def identity(self) -> str:
        """A hash of the rule, without `Task.demonstrations`."""
        return content_hash([self.version, self.sampler, self.pool, list(self.tested.items()), self.own])

    @property
    def leaves_out_tested(self) -> bool:
        """Whether the harness looks that it does not show the tested document."""
        return None not in self.tested.values()

    def serves(self, task: Task) -> bool:
        """Whether the task's demonstrations are those of the rule, or there is a problem to report."""
        if self.own:
            shown, names = task.demonstrations or task.examples, list(self.tested)
        else:
            shown, names = task.demonstrations, list(map(name_of, range(len(self.pool))))
        ends = [each.id for each in (*shown[:1], *shown[-1:])]
        is_pool = len(shown) == len(names) and ends == [*names[:1], *names[-1:]]
        return bool(self.problem) or is_pool

    def draw(self, task: Task, example: Example, num_fewshot: int, seed: int) -> tuple[Example, ...]:
        """The demonstrations before an example.

        Raises:
            TaskError: there are too few, or they cannot be shown as the harness shows them.
        """
        if self.problem:
            raise TaskError(
                f"the demonstrations of {task.name!r} cannot be shown: {self.problem}", hint="Use --num-fewshot 0"
            )
        if example.id not in self.tested:
            raise TaskError(f"example {example.id!r} is none of those for which {task.name!r} draws demonstrations")
        key = num_fewshot, seed
        if key not in self._drawn:
            self._drawn[key] = self._draw_all(task.name, num_fewshot, seed)
        pool = self.own or task.demonstrations
        return tuple(pool[place] for place in self._drawn[key][example.id])

    def _draw_all(self, name: str, num_fewshot: int, seed: int) -> dict[str, tuple[int, ...]]:
        from lm_eval.api.samplers import get_sampler

        documents: list[dict[str, Any]] = [{"document": number} for number in self.pool]
        places = {id(document): place for place, document in enumerate(documents)}
        sampler = get_sampler(self.sampler)(documents, rnd=None).set_rnd(seed)
        found: dict[str, tuple[int, ...]] = {}
        for identifier, number in self.tested.items():
            shown = None if number is None else {"document": number}
            try:
                drawn = sampler.sample(n=num_fewshot, eval_doc=shown)
            except (ValueError, AssertionError):
                raise TaskError(
                    f"task {name!r} has too few examples for {num_fewshot} demonstrations",
                    got=f"{len(documents)}",
                    hint="Ask for fewer with --num-fewshot",
                ) from None
            found[identifier] = tuple(places[id(document)] for document in drawn)
        return found
