"""Losses by epoch: a line for each set, with the first and the last value in words."""

from __future__ import annotations

from phraseproof.reports.charts.epochs import EpochLoss, losses_by_epoch


def test_lines_are_in_order_of_epochs_and_described() -> None:
    chart = losses_by_epoch(
        [EpochLoss("one", 1, 1.5), EpochLoss("one", 0, 2.0), EpochLoss("two", 0, 3.0), EpochLoss("two", 2.5, 0.25)],
        title="Loss",
    )
    assert [(row["group"], row["epoch"], row["nats"]) for row in chart.data["losses"]] == [
        ("one", 0, 2.0),
        ("two", 0, 3.0),
        ("one", 1, 1.5),
        ("two", 2.5, 0.25),
    ]
    assert chart.description == "Epochs 0 to 2.5: one from 2 to 1.5 nats; two from 3 to 0.25 nats."
    assert chart.spec["encoding"]["color"]["scale"]["domain"] == ["one", "two"]
