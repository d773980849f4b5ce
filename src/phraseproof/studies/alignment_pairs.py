"""The training data of studies that align: examples under several wordings, as `pairs from-task` makes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from phraseproof.errors import InstructionError, UsageError
from phraseproof.studies.material import OBSERVED, material_of
from phraseproof.studies.study import StudyRequest

if TYPE_CHECKING:
    from phraseproof.alignment.pairs import ParaphraseSet
    from phraseproof.core import Instruction, Task

PAIRS = 1000
"""The number of pairs of all tasks together, about as many as the paper has (appendix B.3)."""


@dataclass(frozen=True)
class AlignmentPairs:
    """Paraphrase sets, and where they are from.

    Attributes:
        sets: one example under several wordings each.
        left_out: by task, why no pair is made of it.
        origin: what they are, in a few words.
    """

    sets: tuple[ParaphraseSet, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    origin: str = ""

    @property
    def notes(self) -> list[str]:
        """What a reader must know: how many pairs there are, of what, and which tasks gave none."""
        notes = [f"training: {len(self.sets)} pairs {self.origin}"]
        reasons = dict.fromkeys(reason for _, reason in self.left_out)
        for reason in reasons:
            named = [task for task, found in self.left_out if found == reason]
            some = ", ".join(named[:3]) + (f" and {len(named) - 3} others" if len(named) > 3 else "")
            notes.append(f"no training pairs of {some}: {reason}")
        return notes


def alignment_pairs(
    request: StudyRequest,
    model: str,
    *,
    paraphrases: Sequence[str] = (),
    negations: Sequence[str] = (),
    limit: int | None = None,
) -> AlignmentPairs:
    """The pairs of the user's file, or of the demonstrations of tasks under observed wordings.

    Demonstrations are never scored. A task without them is left out, so that no scored example is trained on.

    Args:
        request: its file of pairs, its tasks and its observed wordings come before those of the material.
        model: whose material is used where nothing is named.
        paraphrases: collections of paraphrases of the observed wordings; by default those of the material.
        negations: collections of wordings with the opposite meaning.
        limit: the maximum number of pairs per task; by default the material's number, or `PAIRS` divided by the number
            of tasks and at most the request's limit.

    Raises:
        UsageError: no task has demonstrations.
        InstructionError: no two wordings of any task can be paired.
        PhraseproofError: a task or a collection cannot be loaded.
    """
    from phraseproof.alignment.pairs import load_pairs, pairs_from_task
    from phraseproof.evaluation.resolve import load_wordings
    from phraseproof.instructions.collections import instructions_for
    from phraseproof.tasks import load_tasks

    if request.pairs is not None:
        return AlignmentPairs(tuple(load_pairs(request.pairs)), origin=f"of {request.pairs.name}")
    material = material_of(model)
    references = request.instructions.get(OBSERVED) or material.observed
    # Other wordings than the material's have no paraphrases of their own: each is paired with the others.
    own = references if OBSERVED in request.instructions else material.paraphrases
    paraphrases = tuple(paraphrases) or own or references
    loaded = load_tasks(request.tasks or material.training_tasks, data_dir=request.data_dir)
    trainable = [task for task in loaded if task.demonstrations]
    left_out = [
        (task.name, "it has no examples besides those it is scored on") for task in loaded if task not in trainable
    ]
    if not trainable:
        raise UsageError(
            "no task has examples to train on besides those it is scored on",
            expected="tasks with demonstrations",
            got=", ".join(task.name for task in loaded[:5]),
            where="--tasks",
            hint="Give training data with --pairs, or other tasks",
        )
    members = {
        name: load_wordings(named, model=model)
        for name, named in (("references", references), ("paraphrases", paraphrases), ("negations", negations))
    }

    def serving(name: str, task: Task) -> list[Instruction]:
        return [item for each in members[name] for item in instructions_for(each, task)]

    share = -(-PAIRS // len(trainable))
    per_task = limit or material.pairs_per_task or min(share, share if request.limit is None else request.limit)
    sets: list[ParaphraseSet] = []
    problem: InstructionError | None = None
    for task in trainable:
        of_task = serving("references", task)
        if not of_task:
            left_out.append((task.name, "no reference wording fits it"))
            continue
        try:
            sets += pairs_from_task(
                task,
                of_task,
                serving("paraphrases", task),
                limit=per_task,
                seed=request.seed,
                negations=serving("negations", task),
            )
        except InstructionError as error:
            problem = problem or error
            left_out.append((task.name, error.problem))
    if not sets:
        raise problem or UsageError("no reference wording fits any task", where="--observed")
    done = tuple(dict.fromkeys(each.task for each in sets))
    count = f"{len(done)} tasks" if len(done) > 1 else sets[0].task
    used, others = (", ".join(each.name for each in members[name]) for name in ("references", "paraphrases"))
    paraphrased = "paired with each other" if used == others else f"with paraphrases of {others}"
    origin = f"from the demonstrations of {count}, under wordings of {used}, {paraphrased}"
    return AlignmentPairs(tuple(sets), tuple(left_out), origin)
