"""Losses by epoch (Figure 9): a line for each model and set of validation data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from phraseproof.reports.build.text import printable
from phraseproof.reports.charts.chart import Chart, Row
from phraseproof.reports.charts.training import loss_changes, loss_lines


class EpochLoss(NamedTuple):
    """The loss of one line after an epoch.

    Attributes:
        line: what the loss is of, such as a model or a group of wordings.
        epoch: the number of passes through the training data, 0 before training; it may be a fraction.
        loss: in nats per token.
    """

    line: str
    epoch: float
    loss: float


def losses_by_epoch(points: Sequence[EpochLoss], *, title: str) -> Chart:
    """A line for each `line`, in the order in which they come.

    Args:
        points: at least one.
        title: what is shown, in a few words.
    """
    rows: list[Row] = [
        {"epoch": point.epoch, "group": printable(point.line), "nats": point.loss}
        for point in sorted(points, key=lambda point: point.epoch)
    ]
    names = list(dict.fromkeys(printable(point.line) for point in points))
    return Chart(
        kind="losses-by-epoch",
        title=printable(title),
        description=f"Epochs {rows[0]['epoch']:g} to {rows[-1]['epoch']:g}: {loss_changes(rows)}.",
        spec=loss_lines(names, over="epoch", axis="cross-entropy (nats)", zero=False),
        data={"losses": rows},
    )
