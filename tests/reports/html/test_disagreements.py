from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from phraseproof.core import Cell, Outcome
from phraseproof.reports.build.sources import open_sources
from phraseproof.reports.html.disagreements import disagreements_view
from phraseproof.reports.html.report import render_report
from phraseproof.scoring.registry import metric, scorer
from phraseproof.store.queries import Run, load_run
from phraseproof.store.writer import RunStore, Usage
from support.report_runs import write_run
from support.text_runs import write_text_run

OPTIONS = ("bug", "praise")
LOGPROBS = {
    "a/w0": ((-1.0, -2.0), (-0.5, -4.0), (-1.0, -1.5), (-1.0, -1.5)),
    "a/w1": ((-1.0, -3.5), (-0.5, -2.0), (-1.0, -1.5), (-1.0, -1.5)),
    "a/w2": ((-1.0, -1.2), (-0.5, -2.0), (-1.0, -1.5), (-1.0, -1.5)),
    "off/w": ((-9.0, -1.0), (-9.0, -1.0), (-9.0, -1.0), (-9.0, -1.0)),
}
TEXTS = {
    "a/w0": ("praise", "bug", "<script>alert(1)</script>", "bug"),
    "a/w1": ("praise", "praise", "bug", "bug"),
    "a/w2": ("", "bug", "bug", "bug"),
    "off/w": ("bug", "bug", "bug", "bug"),
}


def write(
    folder: Path,
    logprobs: Mapping[str, Sequence[Sequence[float]]] = LOGPROBS,
    *,
    texts: Mapping[str, Sequence[str]] = TEXTS,
    first: str = "loglikelihood",
) -> Run:
    """Two scorings of three wordings and a control on four examples; the right option is the first."""
    store = RunStore(folder, {"model": {"name": "m"}, "scoring": first})
    for place, scoring in enumerate((first, "generate")):
        for number, name in enumerate(TEXTS):
            group = name.split("/")[0]
            cell = Cell(f"{place}{number:031x}", "t", "T", name, group, 0, 0, 4, scoring=scoring)
            relation = "negated" if group == "off" else "observed"
            entry = {"text": f"{name} {{{{ text }}}}", "relation": relation}
            store.register([cell], {"groups": {group: {}}, "instructions": {name: entry}})
            rows = [
                Outcome(
                    f"e{example}", np.nan, OPTIONS, () if place else tuple(values), target=0, option_credits=(1.0, 0.0),
                    text=text if place else None, is_cut=example == 2 if place else None,
                )
                for example, (values, text) in enumerate(zip(logprobs[name], texts[name], strict=True))
            ]  # fmt: skip
            judged = metric("accuracy").judge([scorer(scoring).predict(row) for row in rows])
            store.write(cell, judged, Usage())
    return load_run(folder)


def test_examples_whose_texts_name_another_option_come_first(tmp_path: Path) -> None:
    view = disagreements_view(write(tmp_path / "run"), 0, controls=["off"])
    assert view is not None
    assert (view.compared, view.generated) == ("loglikelihood", "generate")
    first, second, third = view.examples
    assert [each.example_id for each in view.examples] == ["e0", "e1", "e2"]
    assert (first.num_answers, first.num_others, first.num_unread) == (3, 2, 1)
    # Of the two wordings whose texts name another option, the one with the larger margin.
    assert (first.instruction, first.margin, first.chosen, first.read) == ("a/w1", "2.50 nats", 0, 1)
    assert first.probabilities == pytest.approx((1 / (1 + np.exp(-2.5)), 1 / (1 + np.exp(2.5))))
    assert (first.is_right, first.is_read_right) == (True, False)
    assert (second.instruction, second.num_others, second.num_unread) == ("a/w1", 1, 0)
    assert (third.instruction, third.read, third.is_read_right, third.is_cut) == ("a/w0", None, False, True)
    assert third.text.whole == "<script>alert(1)</script>"


def test_equal_examples_are_sorted_by_how_certain_log_likelihoods_are(tmp_path: Path) -> None:
    surer = {name: (*values[:2], (-0.01, -9.0), values[3]) for name, values in LOGPROBS.items()}
    texts = {**TEXTS, "a/w1": ("praise", "praise", "praise", "bug"), "a/w0": ("praise", "bug", "bug", "bug")}
    view = disagreements_view(write(tmp_path / "run", surer, texts=texts), 0, controls=["off"], per_task=2)
    assert view is not None
    assert [each.example_id for each in view.examples] == ["e0", "e2"]


def test_the_margin_is_in_the_values_that_are_compared(tmp_path: Path) -> None:
    view = disagreements_view(write(tmp_path / "run", first="loglikelihood_norm"), 0, controls=["off"], per_task=4)
    assert view is not None
    (shown,) = (each for each in view.examples if each.example_id == "e0")
    assert (shown.instruction, shown.margin) == ("a/w1", f"{-1 / 3 + 3.5 / 6:.2f} in the values of loglikelihood_norm")


def test_a_run_without_both_scorings_or_disagreements_has_no_section(tmp_path: Path) -> None:
    agreed = dict.fromkeys(TEXTS, ("bug",) * 4)
    assert disagreements_view(write(tmp_path / "agreed", texts=agreed), 0, controls=["off"]) is None
    assert disagreements_view(load_run(write_run(tmp_path / "one")), 0) is None
    assert disagreements_view(write_text_run(tmp_path / "texts"), 0) is None


def test_the_page_shows_both_answers_escaped(tmp_path: Path) -> None:
    write(tmp_path / "run")
    page = render_report(open_sources([tmp_path / "run"]))
    section = page.partition("choose different options</h2>")[2].partition("</section>")[0]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in section
    assert "<script" not in section
    assert 'Chooses <bdi class="answer">bug</bdi>: <span class="good">right</span>, 2.50 nats ahead' in section
    assert 'Read as <bdi class="answer">praise</bdi>: <span class="bad">wrong</span>' in section
    assert '<span class="bad">Not read</span>' in section
    assert "cut at the maximum length" in section
    assert '<a href="#r0-k0-disagreements">' in page
