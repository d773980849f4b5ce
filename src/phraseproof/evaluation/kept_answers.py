"""Answers of a model that cost money or time, kept until the run has stored what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol, runtime_checkable

from phraseproof.core import Model

ANSWERS_FILE = "answers.sqlite"
"""In the run folder, while a run of a served model is not complete."""


class KeptAnswers(Protocol):
    """A file of answers."""

    def settle(self) -> None:
        """Remove the answers of calls that have ended."""
        ...

    def remove(self) -> None:
        """Remove the file."""
        ...


@runtime_checkable
class KeepsAnswers(Protocol):
    """Can keep each answer from the moment in which it comes, so that it is never requested twice."""

    def keeping_answers(self, path: Path, say: Callable[[str], None]) -> AbstractContextManager[KeptAnswers]:
        """Keep answers in a file within the block, and use those that it holds; `say` receives what is waited for."""
        ...


@runtime_checkable
class AnswersTogether(Protocol):
    """May compute elsewhere for hours, and continue when this process ends."""

    @property
    def answers_together(self) -> bool:
        """Whether all prompts of a run are to be handed over in one call."""
        ...

    @property
    def waits_for(self) -> str:
        """What is still being computed, on one line; empty for nothing."""
        ...


def one_call(model: Model) -> bool:
    """Whether all prompts of a run are to be handed over in one call."""
    return isinstance(model, AnswersTogether) and model.answers_together


def still_computed(model: Model) -> str:
    """What continues to be computed elsewhere, as the end of a sentence; empty for nothing."""
    waits_for = model.waits_for if isinstance(model, AnswersTogether) else ""
    return f"; {waits_for}, which continues there" if waits_for else ""


@contextmanager
def keeping_answers(
    model: Model, run: Path, is_complete: Callable[[], bool], say: Callable[[str], None]
) -> Generator[Callable[[], None]]:
    """Keep a model's answers within the block, if it can; gives a function to call when earlier ones are stored.

    Args:
        model: what is evaluated.
        run: the run folder.
        is_complete: whether the folder holds everything at the end of the block: the answers are then removed.
        say: receives what is waited for.
    """
    if not isinstance(model, KeepsAnswers):
        yield lambda: None
        return
    with model.keeping_answers(run / ANSWERS_FILE, say) as answers:
        yield answers.settle
        if is_complete():
            answers.remove()
        else:
            answers.settle()  # what could not be used is requested again by the next command
