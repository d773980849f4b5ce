"""Tables of components: a column per number of demonstrations, and rows of results."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import phraseproof
from phraseproof.analysis.facets.run import task_facets
from phraseproof.errors import UsageError
from phraseproof.reports.build.facets import facet_tables, facets_reports
from support.facet_designs import design
from support.facet_runs import drawn_run


def test_a_column_for_each_number_of_demonstrations(tmp_path: Path) -> None:
    run = drawn_run(tmp_path)
    (report,) = facets_reports([run])
    mine, other = facet_tables(report.facets.tasks)
    assert (mine.title, other.title) == ("colours, mine", "colours, other")
    assert mine.headings == ("0-shot", "1-shot")
    rows = dict(mine.rows)
    assert rows["number of draws"] == ("", "3")
    assert rows["number of examples"] == ("12", "12")
    at_one = mine.tasks[1]
    found = at_one.components["examples",]
    assert rows["examples"][1].startswith(f"{100 * found.estimate / at_one.total:.0f}% (")
    assert rows["examples"][1] == (
        f"{100 * found.estimate / at_one.total:.0f}% ({100 * found.estimate**0.5:.1f} "
        f"[{100 * (found.low or 0) ** 0.5:.1f}, {100 * (found.high or 0) ** 0.5:.1f}])"
    )
    assert rows["draws x orders"][0] == ""
    spread = next(each for each in at_one.spreads if each.facet == "draws")
    assert rows["Std over draws"] == (
        "",
        f"{100 * spread.mean:.1f} ({100 * spread.low:.1f} to {100 * spread.high:.1f})",
    )
    assert list(rows)[-1] == "Std over all of these"
    table = phraseproof.table(run, facets=True)
    row = next(row for row in table.select(group="mine", statistic="std of examples") if row.num_fewshot == 1)
    assert row.estimate == pytest.approx(100 * found.estimate**0.5)
    assert any(note.startswith("colours under other, 0-shot: The mean,") for note in table.notes)
    with pytest.raises(UsageError, match="different tables"):
        phraseproof.table(run, facets=True, causes=True)


def test_equal_scores_have_no_shares() -> None:
    (table,) = facet_tables([task_facets(design(np.ones((2, 2, 3))))])
    assert dict(table.rows)["examples"] == ("0% (0.0 [0.0, 0.0])",)
