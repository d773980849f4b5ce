"""Paraphrase a collection's asks with any generating model, and check each paraphrase (paper, appendix B.3).

Only the ask is rewritten; layout, answers and tasks stay as in the seed. This package does not know models: a `rewrite`
callable represents one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from phraseproof.core import Instruction, Relation
from phraseproof.errors import UsageError
from phraseproof.instructions.collections import Collection
from phraseproof.instructions.fingerprint import fingerprint
from phraseproof.instructions.paraphrase_journal import Journal
from phraseproof.instructions.paraphrase_prompts import PLACE, ParaphrasePrompts
from phraseproof.instructions.rewriting import Marked, check, mark, why_not
from phraseproof.instructions.similarity import rouge2, words
from phraseproof.instructions.template_segments import prose

Rewrite = Callable[[Sequence[str], int], Iterable[tuple[int, str]]]
"""Answers to prompts: takes the prompts and the attempt (from 0), gives index and answer as the answers come."""


@dataclass(frozen=True, slots=True)
class ParaphraseSettings:
    """The settings of paraphrasing.

    Attributes:
        prompts: the prompts for the paraphraser.
        attempts: the maximum number of attempts per paraphrase.
        near_copy: the ROUGE-2 from which a paraphrase counts as a near-copy of its seed or of a sibling.
        author: the paraphraser, for the provenance.
        sampling: the sampling settings, for the provenance.
    """

    prompts: ParaphrasePrompts
    attempts: int = 3
    near_copy: float = 0.9
    author: str = ""
    sampling: str = ""


class Kept(NamedTuple):
    """A paraphrase that passed.

    Attributes:
        seed: the wording that was paraphrased.
        instruction: the paraphrase, as a new wording.
        prompt: the number of the prompt, from 1.
        attempt: the number of the attempt, from 1.
        rouge2: its ask's ROUGE-2 with the seed's, placeholders left out, from 0 to 1.
    """

    seed: Instruction
    instruction: Instruction
    prompt: int
    attempt: int
    rouge2: float


class Dropped(NamedTuple):
    """A paraphrase that did not pass: the reason and the answer of the last attempt."""

    seed: str
    prompt: int
    reason: str
    answer: str


class Skipped(NamedTuple):
    """A wording that cannot be paraphrased."""

    seed: str
    reason: str


@dataclass(frozen=True, slots=True)
class Paraphrases:
    """The result. Every seed and prompt is in `kept` or `dropped`, every other wording in `skipped`."""

    kept: tuple[Kept, ...]
    dropped: tuple[Dropped, ...]
    skipped: tuple[Skipped, ...]

    @property
    def instructions(self) -> tuple[Instruction, ...]:
        """The new wordings."""
        return tuple(each.instruction for each in self.kept)


@dataclass(slots=True)
class _Job:
    """A paraphrase in progress."""

    seed: Instruction
    marked: Marked
    prompt: int
    text: str
    reason: str = ""
    answer: str = ""
    kept: Kept | None = field(default=None)


def requests(collection: Collection, settings: ParaphraseSettings) -> list[str]:
    """The prompts of the first attempt, for a forecast of the cost."""
    return [job.text for job in _jobs(collection, settings)[0]]


def paraphrase(
    collection: Collection,
    rewrite: Rewrite,
    settings: ParaphraseSettings,
    *,
    journal: Journal | None = None,
    on_answer: Callable[[int], None] | None = None,
) -> Paraphrases:
    """Paraphrase every ask of a collection once by each prompt.

    An answer that loses a placeholder or a label, repeats the seed or a sibling, or is not a valid ask, is requested
    again with a reminder of what went wrong, and dropped after the last attempt.

    Args:
        collection: the seeds.
        rewrite: the paraphraser; it is given the attempt so that it can draw other random numbers.
        settings: prompts, attempts and thresholds.
        journal: answers of an earlier run, which are not requested again; new answers are added.
        on_answer: called with the number of answers that came since the last call.

    Raises:
        UsageError: settings out of range.
    """
    if settings.attempts < 1:
        raise UsageError("at least one attempt is needed", got=str(settings.attempts), where="--attempts")
    if not 0 < settings.near_copy <= 1:
        raise UsageError("the threshold for near-copies is out of range", got=str(settings.near_copy))
    journal = journal or Journal(None, None)
    jobs, skipped = _jobs(collection, settings)
    for attempt in range(settings.attempts):
        waiting = [job for job in jobs if job.kept is None]
        for job in waiting:
            if attempt:
                job.text = _reminder(job) + settings.prompts.texts[job.prompt].replace(PLACE, job.marked.text)
        _ask(waiting, rewrite, attempt, journal, on_answer)
        for job in waiting:
            _judge(job, jobs, attempt, settings)
    kept = tuple(job.kept for job in jobs if job.kept is not None)
    dropped = tuple(Dropped(job.seed.name, job.prompt + 1, job.reason, job.answer) for job in jobs if job.kept is None)
    return Paraphrases(kept, dropped, tuple(skipped))


def _jobs(collection: Collection, settings: ParaphraseSettings) -> tuple[list[_Job], list[Skipped]]:
    jobs: list[_Job] = []
    skipped: list[Skipped] = []
    for seed in collection.instructions:
        if reason := why_not(seed):
            skipped.append(Skipped(seed.name, reason))
            continue
        marked = mark(seed)
        jobs += [
            _Job(seed, marked, prompt, text.replace(PLACE, marked.text))
            for prompt, text in enumerate(settings.prompts.texts)
        ]
    return jobs, skipped


def _ask(
    jobs: Sequence[_Job], rewrite: Rewrite, attempt: int, journal: Journal, on_answer: Callable[[int], None] | None
) -> None:
    answers = {job.text: journal.answer(job.text, attempt) for job in jobs}
    missing = [text for text, answer in answers.items() if answer is None]
    if missing:
        for index, answer in rewrite(missing, attempt):
            journal.keep(missing[index], attempt, answer)
            answers[missing[index]] = answer
            if on_answer is not None:
                on_answer(1)
    for job in jobs:
        job.answer = answers[job.text] or ""


def _judge(job: _Job, jobs: Sequence[_Job], attempt: int, settings: ParaphraseSettings) -> None:
    checked = check(job.answer, job.marked, job.seed)
    repeats = _repeats(job.answer, settings.prompts.texts[job.prompt])
    if checked.ask is None or repeats:
        job.reason = "it repeats the prompt" if repeats else checked.reason
        return
    job.reason = _copy_of(checked.ask, job.seed, jobs, settings.near_copy)
    if job.reason:
        return
    assert job.seed.ask is not None
    number = f"{settings.prompts.name}-{job.prompt + 1}"
    sampling = f", {settings.sampling}" if settings.sampling else ""
    instruction = replace(
        job.seed,
        id=f"{job.seed.id}~{number}",
        ask=checked.ask,
        relation=Relation.PARAPHRASE,
        author=settings.author or job.seed.author,
        source=f"paraphrase of {job.seed.name} by prompt {number}{sampling}",
        origin=None,
    )
    likeness = rouge2(prose(job.seed.ask), prose(checked.ask))
    job.kept = Kept(job.seed, instruction, job.prompt + 1, attempt + 1, likeness)


def _repeats(answer: str, prompt: str) -> bool:
    """Whether an answer holds the whole of what a prompt says before or after the ask."""
    found = f" {' '.join(words(answer))} "
    parts = [words(part) for part in prompt.split(PLACE)]
    return any(len(part) > 1 and f" {' '.join(part)} " in found for part in parts)


def _copy_of(ask: str, seed: Instruction, jobs: Sequence[_Job], near_copy: float) -> str:
    """The reason to drop an ask that is a copy, naming the original; empty if it is not a copy.

    Near-copies are searched in its own family (the seed and its other paraphrases), copies in all wordings with the
    same layout and tasks.
    """
    mine = prose(ask)
    known = dict.fromkeys([*(job.seed for job in jobs), *(job.kept.instruction for job in jobs if job.kept)])
    family = {id(seed), *(id(job.kept.instruction) for job in jobs if job.seed is seed and job.kept)}
    for other in known:
        is_near = id(other) in family
        if not is_near and (other.layout, other.serves) != (seed.layout, seed.serves):
            continue
        name = "the seed" if other is seed else other.id
        theirs = prose(other.ask or "")
        if fingerprint(ask) == fingerprint(other.ask or "") or words(mine) == words(theirs):
            return f"it is a copy of {name}"
        if is_near and (likeness := rouge2(mine, theirs)) >= near_copy:
            return f"it is a near-copy of {name} (ROUGE-2 {100 * likeness:.0f})"
    return ""


def _reminder(job: _Job) -> str:
    """The text before a prompt that is sent again."""
    kept = f"Keep {', '.join(job.marked.must_keep)} exactly as written. " if job.marked.must_keep else ""
    other = "Use other words than the original. " if "copy of" in job.reason else ""
    return f"({kept}{other}Give the new text alone.)\n"
