"""What a method of calibration needs of a run next to its log-probabilities: lengths, or answers to extra prompts."""

from __future__ import annotations

from collections.abc import Sequence

from phraseproof.analysis.calibrated import NO_EXTRA, Extra
from phraseproof.analysis.option_lengths import option_lengths
from phraseproof.analysis.option_values import OptionValues
from phraseproof.calibration.methods import CalibrationMethod
from phraseproof.evaluation.observer import Observer
from phraseproof.store.queries import Run


def extras_of(source: Run, tasks: Sequence[OptionValues], method: CalibrationMethod, observer: Observer) -> list[Extra]:
    """What the method needs of each task.

    Args:
        source: the run, under the scorer that is calibrated.
        tasks: all of its tasks, as `load_option_values` gives them.
        method: the method.
        observer: receives the progress of extra prompts.

    Raises:
        NotEnoughDataError: the run does not hold what is needed.
    """
    del observer
    if method.needs.is_length:
        return option_lengths(source, tasks, method.needs)
    return [NO_EXTRA] * len(tasks)
