"""Which answers a run gives, as lines for people at a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from phraseproof.reports.build.answers import baseline_line, constant_line, position_line
from phraseproof.reports.build.text import printable

if TYPE_CHECKING:
    from phraseproof.analysis.answers import TaskAnswers
    from phraseproof.scoring.metric import Metric


def constants(answers: Sequence[TaskAnswers]) -> list[RenderableType]:
    """The line about constant answers, if there is one."""
    line = constant_line(answers)
    return [Text(printable(line), style="bold yellow")] if line else []


def baselines(answers: Sequence[TaskAnswers], metric: Metric) -> list[RenderableType]:
    """The lines about chance and the positions of the options."""
    return [Text(printable(line)) for line in (baseline_line(answers, metric), position_line(answers)) if line]
