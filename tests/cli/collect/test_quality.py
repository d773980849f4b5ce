"""`collect quality` prints counts and similarities; its figures are tested in tests/collect/test_quality.py."""

from __future__ import annotations

import json
from pathlib import Path

from phraseproof.collect.records import TableWording
from phraseproof.collect.store import CollectStore
from support.collecting import LICENCE

from .conftest import Collect


def test_text_and_json(collect: Collect, opened: CollectStore, tmp_path: Path) -> None:
    seeds = tmp_path / "seeds.yaml"
    seeds.write_text(
        "name: seeds\ninstructions:\n- {id: a, ask: Which team should reply, layout: x}\n", encoding="utf-8"
    )
    wording = TableWording("w.csv:2", "Ben", "tickets", "zero-shot", "Which team should answer this?", "ask", None)
    opened.import_wordings([wording], licence=LICENCE)
    out = collect("quality", "--seeds", seeds).out
    rows = [line.split() for line in out.splitlines()]
    assert rows[1][:4] == ["tickets", "all", "authors", "3"]
    assert rows[2][:4] == ["tickets", "Ada", "2", "1"]
    assert "To look at:" in out
    assert "with tickets-zero-shot-Ada-1" in out
    found = json.loads(collect("quality", "--json", "--kind", "zero-shot").out)
    assert [each["author"] for each in found["texts"]] == [None, "Ada", "Ben"]
    assert found["texts"][0]["counts"] == {"zero-shot": 3, "few-shot": 0}
    assert found["answers"] == []


def test_answers_of_a_run(collect: Collect, opened: CollectStore, tmp_path: Path) -> None:
    import phraseproof

    for name in ("Ben", "Cid"):
        text = f"{name} asks who should answer."
        opened.import_wordings(
            [TableWording("w.csv:2", name, "tickets", "zero-shot", text, "ask", None)], licence=LICENCE
        )
    for wording in opened.wordings(status="submitted"):
        opened.accept(wording.id, by="boss")
    collect("export", "-o", tmp_path / "people.yaml")
    task = tmp_path / "tickets.yaml"
    phraseproof.evaluate("scripted", str(task), {"people": str(tmp_path / "people.yaml")}, tmp_path / "run", limit=4)
    out = collect("quality", "--run", tmp_path / "run").out
    assert "Score: mean accuracy (%)." in out
    assert "No wording is unusual." in out
    score = 100 * phraseproof.load_run(tmp_path / "run").mean_scores("task")[0]["mean_score"]
    rows = [line.split() for line in out.splitlines() if line.startswith("tickets")]
    assert [*["tickets", "all", "authors", "0", "4"], f"{score:.1f}"] in [row[:6] for row in rows]
    pairs = json.loads(collect("quality", "--run", tmp_path / "run", "--json").out)["pairs"]
    least = min(pairs, key=lambda pair: pair["agreement"])
    assert f"least agreement {least['first']} and {least['second']} {100 * least['agreement']:.1f} %, most" in out
