"""Whether imported accuracies of wordings give the figures that the paper prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from phraseproof.studies.exhibit import ExhibitTable
from phraseproof.studies.published import PublishedFigure


class ComputedFigure(NamedTuple):
    """A printed figure and what the imported accuracies give, in the unit and to the digit of the printed one."""

    printed: PublishedFigure
    shown: str

    @property
    def agrees(self) -> bool:
        """Whether both are the same to the printed digit."""
        return _plain(self.shown) == _plain(self.printed.shown)

    @property
    def remark(self) -> str:
        """The printed figure's remark, unless it only repeats the computed figure."""
        remark = self.printed.remark
        return "" if remark == f"the released wordings give {self.shown}" else remark


def computed(printed: PublishedFigure, value: float, std: float | None = None) -> ComputedFigure:
    """What a figure is, to the printed digit.

    Args:
        printed: the published figure.
        value: the same statistic, computed.
        std: its Std, where the published figure has one.
    """
    shown = f"{value:.{_digits(printed.value)}f}"
    if printed.std and std is not None:
        shown += f" ± {std:.{_digits(printed.std)}f}"
    return ComputedFigure(printed, shown)


def agreement_tables(found: Sequence[ComputedFigure]) -> tuple[ExhibitTable, ...]:
    """The printed figures that differ from the computed ones, and how many agree; nothing where none is compared."""
    if not found:
        return ()
    differing = [each for each in found if not each.agrees]
    line = (
        f"{len(found) - len(differing)} of {len(found)} printed figures follow from the accuracies of single wordings."
    )
    rows = tuple(
        (each.printed.source, each.printed.row, each.printed.name, each.printed.shown, each.shown, each.remark)
        for each in differing
    )
    title = "Printed figures that the accuracies of single wordings do not give"
    headings = ("source", "row", "column", "printed", "computed", "remark")
    if not rows:
        return (ExhibitTable("Printed and computed figures", ("", ""), (), (line,)),)
    return (ExhibitTable(title, headings, rows, (line,), num_names=3, num_texts=1),)


def _digits(text: str) -> int:
    return len(text.partition(".")[2])


def _plain(text: str) -> str:
    return text.replace("-0.0", "0.0")
