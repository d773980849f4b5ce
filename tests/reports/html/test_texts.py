from __future__ import annotations

from pathlib import Path

import numpy as np

from phraseproof.core import Cell, Outcome
from phraseproof.reports.build.sources import open_sources
from phraseproof.reports.html.report import render_report
from phraseproof.reports.html.texts import SHOWN, FoldedText, text_spreads
from phraseproof.scoring.registry import metric
from phraseproof.store.queries import Run, load_run
from phraseproof.store.writer import RunStore, Usage

TEXTS = {
    "a/good": ("The keys were found by a child.", "Bread is sold from six.", "same"),
    "a/poor": ("The keys.", "Bread is sold from seven.", "same"),
    "a/bad": ("<script>alert(1)</script> \x1b[31m", "", "same"),
    "control/off": ("", "x" * 2000, "other"),
}
REFERENCES = ("The keys were found by a child.", "Bread is sold from six.", "same")


def write(folder: Path) -> Run:
    judge = metric("rouge1")
    store = RunStore(folder, {"model": {"name": "m"}, "scoring": "generate"})
    for number, (name, texts) in enumerate(TEXTS.items()):
        cell = Cell(f"{number:032x}", "t", "T", name, name.split("/")[0], 0, 0, 3, scoring="generate", metric="rouge1")
        store.register(
            [cell], {"groups": {cell.group: {}}, "instructions": {name: {"text": f"{name}: {{{{ text }}}}"}}}
        )
        rows = [
            Outcome(
                f"e{place}", np.nan, text=text, reference=reference, other_references=("x",), is_cut=number in (1, 2)
            )
            for place, (text, reference) in enumerate(zip(texts, REFERENCES, strict=True))
        ]
        store.write(cell, judge.judge(rows), Usage())
    return load_run(folder)


def test_best_median_and_worst_text_of_the_examples_that_differ_most(tmp_path: Path) -> None:
    run = write(tmp_path / "run")
    first, second = text_spreads(run, 0, metric("rouge1"), controls=["control"])
    assert [(each.role, each.instruction) for each in first.texts] == [
        ("best", "a/good"),
        ("median", "a/poor"),
        ("worst", "a/bad"),
    ]
    assert (first.example_id, first.spread, first.num_wordings) == ("e0", 1.0, 3)
    assert [each.is_cut for each in first.texts] == [False, True, True]
    assert [each.is_empty for each in second.texts] == [False, False, True]
    assert [text.whole for text in first.references] == [REFERENCES[0], "x"]
    (alone,) = text_spreads(run, 0, metric("rouge1"), per_task=1)
    assert alone.num_wordings == 4


def test_texts_are_escaped_marked_and_folded(tmp_path: Path) -> None:
    write(tmp_path / "run")
    page = render_report(open_sources([tmp_path / "run"]))
    section = page.partition("several wordings, several texts</h2>")[2].partition("</section>")[0]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in section
    assert "<script" not in section
    assert "\x1b" not in section
    assert "cut at the maximum length" in section
    assert "(empty)" in section
    assert f"<summary>{'x' * SHOWN}…</summary>" in section
    assert "best: <bdi>a/good</bdi>" in section


def test_a_short_text_is_not_folded() -> None:
    assert FoldedText.of("x" * SHOWN) == ("x" * SHOWN, None)
