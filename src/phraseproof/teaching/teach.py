"""Pairs whose targets come from a teacher: the answers of a model under several wordings, read from a run.

run = score_wordings("smollm2", [task], wordings, pairs, "teacher-run")
taught = teach_pairs(pairs, run, TeacherSettings(teacher="ensemble"))
save_pairs(taught.pairs, Path("taught.jsonl"))
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from phraseproof.alignment.pairs.paraphrase_set import ParaphraseSet, TeacherRecord
from phraseproof.alignment.teacher_quality import REFERENCE, TeacherQuality, report_qualities
from phraseproof.analysis.grids import Floats
from phraseproof.analysis.option_values import load_option_values
from phraseproof.core import Instruction, Task
from phraseproof.errors import RunError, UsageError
from phraseproof.evaluation.evaluate import evaluate
from phraseproof.evaluation.observer import Observer
from phraseproof.identity import content_hash
from phraseproof.instructions.collections import Collection
from phraseproof.models import ModelOptions
from phraseproof.store.queries import Run
from phraseproof.teaching.quality import Answers, judge_teacher
from phraseproof.teaching.teacher import NO_CALIBRATION, TaskTeacher, TeacherSettings, ask_teacher

GROUP = "training"
"""The group of wordings in a teacher's run."""

_DIGITS = 6


class TaughtPairs(NamedTuple):
    """Pairs with a teacher's answers.

    Attributes:
        pairs: in the order given, without those that the teacher did not answer.
        qualities: how good the teacher is, per task.
        unanswered: the number of pairs that were left out, because no wording's answer was read.
    """

    pairs: list[ParaphraseSet]
    qualities: tuple[TeacherQuality, ...]
    unanswered: int = 0

    def report(self, say: Callable[[str], None], warn: Callable[[str], None]) -> None:
        """Say one line per task, and what is doubtful as warnings."""
        report_qualities(self.qualities, say, warn)
        if self.unanswered:
            warn(f"{self.unanswered} pairs were left out, because the teacher has no answer to them")


def score_wordings(
    model: str,
    tasks: Sequence[Task],
    wordings: Sequence[Instruction],
    pairs: Sequence[ParaphraseSet],
    out: str | Path,
    *,
    prompt_format: str = "auto",
    model_options: ModelOptions = ModelOptions(),
    observer: Observer | None = None,
) -> Run:
    """Score a model on the examples of pairs under all wordings, as `evaluate` does. Only what `out` lacks is computed.

    Args:
        model: as in `evaluate`.
        tasks: the tasks that the pairs were made from.
        wordings: the reference wordings and their paraphrases; each is used for the tasks that it serves.
        pairs: pairs of these tasks (`pairs_from_task`); no other examples are scored.
        out: the run folder.
        prompt_format: the format of prompts; that of the training, so that the teacher sees the same prompts.
        model_options: how the model is loaded.
        observer: receives progress and warnings.

    Raises:
        RunError: a cell failed.
        UsageError: a task has free texts as answers.
    """
    needed: defaultdict[str, set[str]] = defaultdict(set)
    for pair in pairs:
        needed[pair.task].add(pair.example)
    asked: list[Task] = []
    for task in tasks:
        if not task.kind.has_options:
            raise UsageError(f"a teacher chooses among options, and the answers of {task.name!r} are free texts")
        kept = tuple(e for e in task.demonstrations or task.examples if e.id in needed[task.name])
        asked.append(replace(task, examples=kept, demonstrations=()))
    by_name: defaultdict[str, dict[str, Instruction]] = defaultdict(dict)
    for wording in wordings:
        by_name[wording.collection].setdefault(wording.id, wording)
    collections = [Collection(name, tuple(items.values())) for name, items in by_name.items()]
    run = evaluate(
        model,
        asked,
        {GROUP: collections},
        out,
        prompt_format=prompt_format,
        model_options=model_options,
        observer=observer,
    )
    if run.missing:
        raise RunError(
            f"{len(run.missing)} of {len(run.cells)} cells failed, so the teacher cannot answer",
            got=run.failures[0].error if run.failures else None,
            where=str(run.path),
            hint="Run the same command to try them again",
        )
    return run


def teach_pairs(pairs: Sequence[ParaphraseSet], run: Run, settings: TeacherSettings = TeacherSettings()) -> TaughtPairs:
    """Replace the targets of pairs by what a teacher answers.

    The target becomes the option that the teacher finds most probable, as the pair's wordings write it; with
    `teacher_as="distribution"`, `option_probabilities` holds the probability of every option too. `teacher` records
    where they come from. Examples that keep their label (`settings.labelled`) are left as they are. Where only they
    have labels, `best` is judged on each of them as chosen on the others.

    Args:
        pairs: pairs of tasks with options (`pairs_from_task`, or a file that it was saved to).
        run: answers to the pairs' examples under all wordings that shall answer (`score_wordings`, or any evaluation
            of the same tasks without demonstrations). All of its wordings are used.
        settings: who answers, and how.

    Raises:
        UsageError: a pair does not say which task, example and options it was made from; or the run lacks its task,
            its example or, for `reference`, its wording.
        NotEnoughDataError: the run holds no log-probabilities of options.
    """
    teachers = {task.task: ask_teacher(task, settings) for task in load_option_values(run) if not task.num_fewshot}
    record = TeacherRecord(
        settings.teacher,
        str(run.settings.get("model", {}).get("name", "")),
        calibration="" if settings.method == NO_CALIBRATION else settings.method,
        run=content_hash([cell.identity for cell in run.cells]),
    )
    taught: list[ParaphraseSet] = []
    answered: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    kept: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    by_others = {name: each.best_by_others() for name, each in teachers.items()} if settings.teacher == "best" else {}
    places = {name: {id_: n for n, id_ in enumerate(each.values.examples)} for name, each in teachers.items()}
    for pair in pairs:
        teacher, place = _place(pair, teachers, places)
        answers, members = teacher.for_pairs_of(_reference(pair) if settings.teacher == "reference" else None)
        is_answered, is_kept = not np.isneginf(answers[place]).all(), place in teacher.labelled
        if is_answered:
            option = by_others.get(pair.task, {}).get(place, int(answers[place].argmax()))
            (kept if is_kept else answered)[pair.task].append((place, option))
        if is_kept:
            taught.append(pair)
        elif is_answered:
            taught.append(_taught(pair, answers[place], record._replace(wordings=members), settings))
    judged = answered if settings.has_labels else kept
    name = REFERENCE if settings.teacher == "reference" else "the teacher"
    qualities = tuple(
        judge_teacher(teachers[task], Answers.of(answered[task]), Answers.of(judged[task]), name=name)
        for task in dict.fromkeys(pair.task for pair in pairs)
    )
    return TaughtPairs(taught, qualities, len(pairs) - len(taught))


def _taught(pair: ParaphraseSet, logprobs: Floats, record: TeacherRecord, settings: TeacherSettings) -> ParaphraseSet:
    count = len(pair.options)
    if np.isfinite(logprobs[count:]).any():
        raise UsageError(
            "the run has more options for this example than the pair", expected=str(count), where=pair.source or None
        )
    target = pair.options[int(logprobs.argmax())]
    shares: tuple[float, ...] = ()
    if settings.teacher_as == "distribution":
        shares = tuple(round(float(value), _DIGITS) for value in np.exp(logprobs[:count]))
    return replace(pair, target=target, option_probabilities=shares, labelled=True, teacher=record)


def _place(
    pair: ParaphraseSet, teachers: Mapping[str, TaskTeacher], places: Mapping[str, Mapping[str, int]]
) -> tuple[TaskTeacher, int]:
    """The teacher of a pair's task, and the place of its example there."""
    where = pair.source or None
    if not (pair.task and pair.example and pair.options):
        raise UsageError(
            "a teacher needs to know the task, the example and the options of a pair",
            where=where,
            hint="Make the pairs with phraseproof pairs from-task, from a task with options",
        )
    if pair.task not in teachers:
        raise UsageError(f"the run has no task {pair.task!r}", expected=f"one of: {', '.join(teachers)}", where=where)
    if pair.example not in places[pair.task]:
        raise UsageError(f"the run has no example {pair.example!r} of task {pair.task!r}", where=where)
    return teachers[pair.task], places[pair.task][pair.example]


def _reference(pair: ParaphraseSet) -> str:
    """The name of the pair's reference wording."""
    for origin in pair.origins:
        if origin.text == pair.instruction:
            return origin.name
    raise UsageError("the reference wording of the pair has no name", where=pair.source or None)
