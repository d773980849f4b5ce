from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

import phraseproof
from phraseproof.core import ModelIdentity, Prompt
from phraseproof.errors import ModelError, RunError
from support.reading_task import CLEAR, VAGUE, WORDS, Knowing, make_evaluation


def test_accuracy_is_what_the_model_earned(tmp_path: Path) -> None:
    run = make_evaluation().run(tmp_path)
    scores = {row.instruction: row for row in run.wording_scores()}
    assert scores["mine/clear"].mean_score == 1.0
    assert scores["mine/vague"].mean_score == pytest.approx(5 / 7)
    assert scores["mine/vague"].num_examples == 7
    rows = run.outcomes().to_pylist()
    assert len(rows) == 14
    fjord = next(row for row in rows if row["instruction"] == "mine/vague" and row["example_id"] == "fjord")
    assert (fjord["predicted"], fjord["target"], fjord["score"]) == (0, 1, 0.0)
    assert fjord["options"] == ["a-e", "f-z"]
    assert math.isclose(sum(math.exp(value) for value in fjord["option_logprobs"]), 1.0)
    assert fjord["prompt"] is None


def test_running_again_computes_nothing(tmp_path: Path) -> None:
    make_evaluation().run(tmp_path)
    again = Knowing()
    run = make_evaluation(again).run(tmp_path)
    assert again.asked == []
    assert run.outcomes().num_rows == 14


def test_a_new_wording_computes_only_itself(tmp_path: Path) -> None:
    make_evaluation(Knowing(), CLEAR).run(tmp_path)
    model = Knowing()
    run = make_evaluation(model, CLEAR, VAGUE).run(tmp_path, self_test=False)
    assert model.asked == [f"{word}?" for word in WORDS]
    assert run.outcomes().num_rows == 14


def test_other_settings_need_another_folder(tmp_path: Path) -> None:
    make_evaluation().run(tmp_path)
    with pytest.raises(RunError, match="another setting of prompt_format"):
        make_evaluation(prompt_format="alpaca").run(tmp_path)


def test_logged_samples_hold_the_prompt(tmp_path: Path) -> None:
    run = make_evaluation(log_samples=True).run(tmp_path)
    prompts = run.query("SELECT prompt FROM outcomes WHERE example_id = 'dune'").to_pylist()
    assert {row["prompt"] for row in prompts} == {"dune?", "Where does dune stand in a dictionary?"}


def test_a_failing_cell_is_recorded_and_the_rest_goes_on(tmp_path: Path) -> None:
    class Fragile(Knowing):
        broken = True

        def judge(self, prompt: Prompt, option: str) -> float:
            if self.broken and prompt.text == "grove?":
                raise ArithmeticError("the abacus\nfell over")
            return super().judge(prompt, option)

    model = Fragile()
    run = make_evaluation(model).run(tmp_path)
    (failure,) = run.failures
    assert failure.cell.instruction == "mine/vague"
    assert failure.error == "ArithmeticError: the abacus fell over"
    assert [row.instruction for row in run.wording_scores()] == ["mine/clear"]
    model.broken = False
    mended = make_evaluation(model).run(tmp_path)
    assert mended.failures == ()
    assert mended.outcomes().num_rows == 14


def test_demonstrations_never_show_the_tested_example(tmp_path: Path) -> None:
    run = make_evaluation(Knowing(), CLEAR, num_fewshot=(3,), fewshot_seeds=(0, 1), log_samples=True).run(tmp_path)
    rows = run.outcomes().to_pylist()
    assert len(rows) == 14
    for row in rows:
        assert row["prompt"].count(row["example_id"]) == 1
        assert row["prompt"].count("dictionary") == 4


def test_the_public_function_takes_names_files_and_objects(tmp_path: Path) -> None:
    (tmp_path / "words.csv").write_text(
        "word,side\n" + "".join(f"{w},{'ae' if w[0] <= 'e' else 'fz'}\n" for w in WORDS)
    )
    (tmp_path / "task.yaml").write_text(
        "name: sides\nkind: binary\ndata: words.csv\nfields: {word: word}\nchoices: [ae, fz]\nanswer: side\n"
    )
    (tmp_path / "mine.yaml").write_text(
        "name: mine\ninstructions:\n  - {id: one, ask: 'Which side?', layout: '{{ word }}', answer: text}\n"
    )
    seen: list[int] = []

    class Watching:
        def started(self, *, total: int, done: int) -> None:
            seen.append(total - done)

        def advanced(self, prompts: int) -> None:
            seen.append(-prompts)

        def noted(self, message: str) -> None: ...

        def warned(self, message: str) -> None:
            raise AssertionError(message)

    run = phraseproof.evaluate(
        "scripted",
        str(tmp_path / "task.yaml"),
        {"mine": tmp_path / "mine.yaml"},
        tmp_path / "run",
        limit=5,
        model_options=phraseproof.ModelOptions(args={"rule": "first"}),
        observer=Watching(),
    )
    (score,) = run.wording_scores()
    assert score.num_examples == 5
    assert sum(seen) == 0
    assert phraseproof.load_run(tmp_path / "run").wording_scores() == [score]
    forecast = phraseproof.forecast("scripted", str(tmp_path / "task.yaml"), {"m": str(tmp_path / "mine.yaml")})
    assert forecast.prompts == 7


def test_a_model_that_only_writes_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    class Writer:
        identity = ModelIdentity("writer", "1", "none")

    evaluation = replace(make_evaluation(), model=Writer())
    with pytest.raises(ModelError, match="writer: the model cannot score answer options"):
        evaluation.run(tmp_path / "run")
    assert not (tmp_path / "run").exists()
