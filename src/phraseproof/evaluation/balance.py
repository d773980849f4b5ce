"""Reports how many examples of each class the samples of an evaluation hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from phraseproof.core import Task
from phraseproof.evaluation.observer import Observer
from phraseproof.evaluation.plan import classes_of

_SHOWN = 5


def report_balance(samples: Sequence[Task], whole: Sequence[Task], observer: Observer, *, is_stratified: bool) -> None:
    """Note the balance of each sample of a task with classes, or of all in one line if there are many; warn of classes
    that are missing from one.

    Args:
        samples: the sampled tasks.
        whole: the same tasks in full.
        observer: notified.
        is_stratified: the samples were drawn by class; at random otherwise.
    """
    notes: list[str] = []
    for sampled, task in zip(samples, whole, strict=True):
        classes = classes_of(task)
        if classes is None or len(sampled.examples) == len(task.examples):
            continue
        held = Counter(example.choices[example.target] for example in sampled.examples)
        shown = ", ".join(f"{name} {held[name]}" for name in sorted(held)[:_SHOWN])
        if len(held) > _SHOWN or len(held) < len(set(classes)):
            shown = f"{len(held)} of {len(set(classes))} classes: {shown}" + (", ..." if len(held) > _SHOWN else "")
        notes.append(f"{task.name}: {len(sampled.examples)} of {len(task.examples)} examples ({shown})")
        missing = sorted(set(classes) - set(held))
        # With fewer examples than classes some must be missing, as the line above shows.
        if missing and len(sampled.examples) >= len(set(classes)):
            names = ", ".join(repr(name) for name in missing[:_SHOWN])
            rest = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
            remedy = "a larger --limit would" if is_stratified else "--sample stratified draws by class"
            observer.warned(f"{task.name}: the sample holds no example of {names}{rest}; {remedy}")
    if len(notes) > _SHOWN:
        drawn = "hold their classes in proportion" if is_stratified else "are drawn at random, whatever their classes"
        notes = [f"the samples of {len(notes)} tasks {drawn}"]
    for note in notes:
        observer.noted(note)
