"""The rows of a gate: what was measured at each place, and its distance to the limit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from phraseproof.analysis.result_rows import RowSource, finding_row
from phraseproof.core import Finding

if TYPE_CHECKING:
    from phraseproof.analysis.results import ResultRow
    from phraseproof.reports.gate.limits import LimitCheck


def check_rows(check: LimitCheck, source: RowSource) -> Iterator[ResultRow]:
    """The measured value with its interval, then its distance to the limit: below 0 where the limit is broken.

    A check without enough data has no rows.

    Args:
        source: the run; its number of demonstrations is that of the check.
    """
    if check.measured is None or check.of is None:
        return
    source = source._replace(num_fewshot=check.num_fewshot)
    found = check.measured
    is_difference = found.name.startswith("difference")
    yield finding_row(
        source, check.of, found.name, found, source.difference_unit() if is_difference else source.unit(found.name)
    )
    if check.value is not None:
        word = "kept" if check.is_kept else "broken"
        distance = Finding(f"distance to {check.option}", -check.over, found.n, f"{word}: {check.line}")
        unit, _ = source.difference_unit()
        yield finding_row(source, check.of, distance.name, distance, (unit, 1.0))
