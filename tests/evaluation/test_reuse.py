"""A run folder that grows: what is stored is used, and the rows are those of one run from scratch."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from phraseproof.core import Prompt, Sampling
from phraseproof.errors import RunError
from phraseproof.evaluation.plan import CellIdentities
from phraseproof.evaluation.prepare import prepare
from phraseproof.evaluation.run import Interrupted
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.models.scripted import ScriptedModel
from phraseproof.scoring import patterns
from phraseproof.scoring.extraction import OLDER_RULES, OptionNames
from phraseproof.scoring.patterns import SlowPatternError
from phraseproof.store.queries import load_run
from support.growing_run import EXAMPLES, WORDINGS, Listener, Model, Unreachable, evaluate, make_task, rows_of


def test_a_larger_limit_computes_only_what_is_new(tmp_path: Path) -> None:
    evaluate(tmp_path / "grown", Model(), limit=4)
    model, listener = Model(), Listener()
    grown = evaluate(tmp_path / "grown", model, limit=9, observer=listener)
    assert len(model.asked) == 2 * 5
    assert listener.warnings == []
    assert not any("computed again" in note for note in listener.notes)
    assert listener.done == listener.total == 18
    scratch = evaluate(tmp_path / "scratch", Model(), limit=9)
    assert rows_of(grown) == rows_of(scratch)
    assert grown.cells == scratch.cells
    assert grown.settings == scratch.settings
    assert grown.content["usage"]["tokens_computed"] == scratch.content["usage"]["tokens_computed"]
    whole = evaluate(tmp_path / "grown", model := Model())
    assert len(model.asked) == 2 * 3
    assert whole.settings["limit"] is None


def test_the_dry_run_counts_what_is_reused(tmp_path: Path) -> None:
    evaluate(tmp_path, Model(), limit=4)
    groups = {"mine": {"t": list(WORDINGS[:3])}}
    evaluation = prepare(Model(), [make_task()], groups, EvaluationSpec(limit=9, scoring="loglikelihood_norm"))
    forecast = evaluation.forecast(tmp_path)
    assert (forecast.cells_missing, forecast.prompts_missing) == (3, 9 + 2 * 5)


def test_a_smaller_limit_is_refused_in_one_line(tmp_path: Path) -> None:
    evaluate(tmp_path, Model(), limit=9)
    with pytest.raises(RunError, match=r"larger sample \(expected --limit 9 or more, got --limit 4\)"):
        evaluate(tmp_path, Model(), limit=4)


@pytest.mark.parametrize(
    ("first", "second"), [("loglikelihood", "loglikelihood_norm")] * 1 + [("loglikelihood_norm", "loglikelihood")]
)
def test_a_scorer_that_needs_the_same_numbers_calls_no_model(tmp_path: Path, first: str, second: str) -> None:
    evaluate(tmp_path / "grown", Model(), scoring=first, num_fewshot=(0, 2))
    derived = evaluate(tmp_path / "grown", Unreachable(), scoring=second, num_fewshot=(0, 2))
    scratch = evaluate(tmp_path / "scratch", Model(), scoring=second, num_fewshot=(0, 2))
    assert rows_of(derived) == rows_of(scratch)
    assert derived.scoring == second
    run = load_run(tmp_path / "grown")
    assert run.scorings == (first, second)
    assert {row["scoring"] for row in rows_of(run)} == {first}
    assert rows_of(run.select(second)) == rows_of(derived)
    scores = {row["score"] for row in rows_of(run)}, {row["score"] for row in rows_of(derived)}
    assert scores == ({0.0, 1.0}, {0.0, 1.0})
    assert run.content["usage"]["tokens_computed"] == scratch.content["usage"]["tokens_computed"]


def _as_it_is(_names: OptionNames, text: str) -> str:
    return text


class Writer(Unreachable):
    """Writes a list of the options first, where a question is odd; counts its texts."""

    def __init__(self) -> None:
        super().__init__(write=self._say)
        self.written = 0

    def _say(self, prompt: Prompt, _sampling: Sampling) -> str:
        self.written += 1
        return "yes\nnot at all" if prompt.text[-1] in "13579" else "I say yes"


def test_texts_are_read_in_another_way_without_the_model(tmp_path: Path) -> None:
    model = Writer()
    evaluate(tmp_path / "grown", model, scoring="generate")
    assert model.written == 2 * EXAMPLES
    again = evaluate(tmp_path / "grown", model, scoring="generate", extract="last_line")
    assert model.written == 2 * EXAMPLES
    assert (again.scoring, load_run(tmp_path / "grown").scorings) == (
        "generate:last_line",
        ("generate", "generate:last_line"),
    )
    scratch = evaluate(tmp_path / "scratch", Writer(), scoring="generate:last_line")
    assert rows_of(again) == rows_of(scratch)
    assert [cell.identity for cell in again.cells] == [cell.identity for cell in scratch.cells]
    assert {cell.identity for cell in again.cells}.isdisjoint(
        cell.identity for cell in load_run(tmp_path / "grown").cells
    )


class SlowToRead(Writer):
    """Writes one text that a careless pattern reads for years: its third."""

    def _say(self, prompt: Prompt, _sampling: Sampling) -> str:
        super()._say(prompt, _sampling)
        return "a" * 300 + "!" if self.written == 3 else "I say yes"


def test_a_pattern_without_end_stops_the_run_and_the_texts_before_serve_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = SlowToRead()
    monkeypatch.setattr(patterns, "LIMIT_S", 0.05)
    with pytest.raises(SlowPatternError, match="on the text of the example"):
        evaluate(tmp_path, model, scoring="generate", extract="regex:(a|aa)+$|yes|not")
    model.written = 3
    run = evaluate(tmp_path, model, scoring="generate", extract="regex:yes|not")
    # All but the two before the text that could not be read.
    assert model.written == 3 + 2 * EXAMPLES - 2
    assert all(row["predicted"] is not None for row in rows_of(run))


@pytest.mark.parametrize("version", OLDER_RULES)
def test_texts_of_older_rules_are_read_again_without_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int | None
) -> None:
    model, listener = Writer(), Listener()
    of_evaluation = CellIdentities.of_evaluation

    def under_older_rules(model: ScriptedModel, spec: EvaluationSpec) -> CellIdentities:
        return of_evaluation(model, spec).under_rules(version)

    with monkeypatch.context() as older:
        older.setattr(OptionNames, "after_list", _as_it_is)
        older.setattr(CellIdentities, "of_evaluation", under_older_rules)
        before = rows_of(evaluate(tmp_path, model, scoring="generate"))
    assert [row["predicted"] for row in before[:2]] == [0, 1]  # the last member of the list was read
    run = evaluate(tmp_path, model, scoring="generate", observer=listener)
    assert model.written == 2 * EXAMPLES
    after = rows_of(run)
    assert [row["predicted"] for row in after[:2]] == [0, None]
    assert [row["text"] for row in after] == [row["text"] for row in before]
    assert all(row["score"] == 0 for row in after if row["predicted"] is None)
    assert "this version reads options from texts by other rules" in listener.notes[0]


def test_the_papers_method_needs_other_numbers(tmp_path: Path) -> None:
    evaluate(tmp_path, Model())
    model = Model()
    run = evaluate(tmp_path, model, scoring="paper")
    assert len(model.asked) == 2 * EXAMPLES
    assert load_run(tmp_path).scorings == ("loglikelihood", "paper")
    with pytest.raises(RunError, match="no outcomes of the scoring method 'other'"):
        run.select("other")


def test_edited_data_is_never_reused(tmp_path: Path) -> None:
    evaluate(tmp_path, Model(), limit=4)
    model, listener = Model(), Listener()
    evaluate(tmp_path, model, limit=9, task=make_task(edited="!"), observer=listener)
    assert len(model.asked) == 2 * 9
    assert listener.notes[0] == "2 cells computed again: their data or wordings were edited"


def test_a_share_grows_into_a_larger_sample(tmp_path: Path) -> None:
    first = Model()
    evaluate(tmp_path, first, wordings=4, limit=6, budget=0.5)
    second = Model()
    run = evaluate(tmp_path, second, wordings=4, limit=9)
    assert len(first.asked) == 12
    assert len(second.asked) == 4 * 9 - 12
    assert run.share == 1
    assert rows_of(run) == rows_of(evaluate(tmp_path / "scratch", Model(), wordings=4, limit=9))


def test_near_ties_that_were_scored_again_are_not_derived(tmp_path: Path) -> None:
    """Which choices are near a tie depends on the scorer."""

    class Half(Model):
        def in_float32(self) -> ScriptedModel:
            return ScriptedModel()

    evaluate(tmp_path, Half(), rescore_ties=True)
    model = Half()
    evaluate(tmp_path, model, rescore_ties=True, scoring="loglikelihood_norm")
    assert len(model.asked) > 0


def test_a_damaged_cell_is_computed_again(tmp_path: Path) -> None:
    before = rows_of(evaluate(tmp_path, Model()))
    path = sorted(tmp_path.rglob("*.parquet"))[0]
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(RunError, match="damaged") as caught:
        load_run(tmp_path).wording_scores()
    assert str(path) in str(caught.value)
    model, listener = Model(), Listener()
    mended = evaluate(tmp_path, model, observer=listener)
    assert len(model.asked) == EXAMPLES
    assert len(listener.warnings) == 1
    assert str(path) in listener.warnings[0]
    assert rows_of(mended) == before


@pytest.mark.slow
@settings(max_examples=12, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    st.lists(
        st.tuples(
            st.integers(1, 4),
            st.integers(1, EXAMPLES),
            st.sampled_from(["loglikelihood", "loglikelihood_norm", "paper"]),
            st.sampled_from([(0,), (0, 2)]),
            st.none() | st.integers(0, 30),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_any_sequence_of_growth_and_kills_ends_in_the_rows_of_one_run(steps: list[Any]) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        limit, most = 0, 0
        scored: dict[str, set[str]] = {}
        for wordings, larger, scoring, shots, stops_after in steps:
            limit, most = max(limit, larger), max(most, wordings)
            model = Model(stops_after)
            try:
                evaluate(folder / "grown", model, wordings, limit=limit, scoring=scoring, num_fewshot=shots)
            except Interrupted:
                assert stops_after is not None
            method = "paper" if scoring == "paper" else "loglikelihood"
            assert not scored.setdefault(method, set()) & set(model.asked), "nothing is scored twice"
            scored[method] |= set(model.asked)
        for scoring in dict.fromkeys(step[2] for step in steps):
            changes: dict[str, Any] = {"limit": limit, "scoring": scoring, "num_fewshot": (0, 2)}
            grown = evaluate(folder / "grown", Model(), most, **changes)
            assert rows_of(grown) == rows_of(evaluate(folder / scoring, Model(), most, **changes))
            assert not grown.missing
        assert not list(folder.rglob("*.jsonl"))
    finally:
        shutil.rmtree(folder)
