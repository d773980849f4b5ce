"""Which options have an effect, by what a study is made of. `test_fitting.py` has every option of every study."""

from __future__ import annotations

from phraseproof.studies.used_options import ALIGNMENT, EVALUATION, TUNING, UsedOptions

NOTHING: dict[str, object] = {"models": (), "runs": (), "paraphrasers": ()}


def test_what_a_study_is_made_of_decides() -> None:
    used = UsedOptions(
        of_models=frozenset({"limit"}), of_neither=frozenset({"tasks"}), of_paraphrasers=frozenset({"dtype"})
    )
    always = {"models", "runs", "out"}
    assert used.of({**NOTHING, "models": ("m",)}) == always | {"limit"}
    assert used.of({**NOTHING, "runs": ("r",)}) == always | {"seed"}
    assert used.of(NOTHING) == always | {"tasks"}
    assert used.of({**NOTHING, "paraphrasers": ("p",)}) == always | {"tasks", "dtype"}
    assert used.anywhere() == {"models", "runs", "limit", "seed", "tasks"}


def test_a_study_without_models_or_runs_does_not_take_them() -> None:
    used = UsedOptions(of_runs=None, of_neither=frozenset({"tasks"}))
    for made_of in (NOTHING, {**NOTHING, "models": ("m",)}, {**NOTHING, "runs": ("r",)}):
        assert used.of(made_of) == {"out", "tasks"}


def test_trainings_use_what_evaluations_use() -> None:
    assert EVALUATION < ALIGNMENT
    assert EVALUATION < TUNING
    assert EVALUATION | {"max_steps"} == ALIGNMENT & TUNING
