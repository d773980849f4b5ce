"""`table-2`: counts of collections by kind of task."""

from __future__ import annotations

from pathlib import Path

from phraseproof.core import Kind
from phraseproof.instructions.collections import load_collection
from phraseproof.studies.carry_out import carry_out
from phraseproof.studies.study import StudyRequest
from phraseproof.studies.table_2 import TableTwo, count

MINE = """
name: mine
instructions:
  - {id: a, for: multiple_choice, ask: "Choose:", layout: "{{ question }}"}
  - {id: b, for: [bbl/strategyqa, bbl/winowhy], ask: "Is it so?", layout: "{{ question }}", answer: text}
  - {id: c, for: bbl/vitaminc_fact_verification, ask: "Check:", layout: "{{ question }}", answer: text}
  - {id: d, for: some-data-set, ask: "Do:", layout: "{{ question }}", answer: text}
  - {id: e, ask: "Answer:", layout: "{{ question }}", answer: text}
"""


def test_a_wording_counts_for_the_kinds_of_the_tasks_that_it_serves(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(MINE, encoding="utf-8")
    counts = count(load_collection(str(tmp_path / "mine.yaml")))
    # e serves every task with options; b serves two binary tasks, and counts once.
    assert counts.by_kind == {Kind.MULTIPLE_CHOICE: 2, Kind.BINARY: 2, Kind.MULTI_CLASS: 2}
    assert (counts.unknown, counts.total) == (1, 5)
    assert counts.tasks == {
        "bbl/strategyqa": 1, "bbl/winowhy": 1, "bbl/vitaminc_fact_verification": 1, "some-data-set": 1,
    }  # fmt: skip


def test_named_collections_are_counted_next_to_the_papers(tmp_path: Path) -> None:
    request = StudyRequest(instructions={"observed": ("pocket-observed", "composed")}, out=tmp_path)
    exhibit = carry_out(TableTwo(), request)
    own, paper, examples = exhibit.tables
    assert [row[0] for row in own.rows] == ["pocket-observed", "composed"]
    assert own.rows[0] == ("pocket-observed", "12", "12", "12", "", "", "", "3", "12.0", "36")
    assert paper.rows[0] == ("Flan", "50", "35", "18", "37", "14")
    assert {row[0] for row in examples.rows} == {"QA", "MC", "BC", "Sum", "Trans"}
    (total,) = exhibit.results.select(task="composed", group="all")
    assert total.estimate == len(load_collection("composed").instructions)
