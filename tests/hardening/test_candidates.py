from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.errors import ModelError, UsageError
from phraseproof.hardening.candidates import RATES, candidates_of
from phraseproof.teaching.teacher import TeacherSettings

COMMON = AlignmentSettings(max_steps=7)


def test_each_method_has_the_rates_of_what_it_trains() -> None:
    found = candidates_of(["pt+kl", "ft"], {}, COMMON)
    assert [(each.name, each.rate) for each in found] == [
        *(("pt+kl", rate) for rate in RATES["prompt"]),
        *(("ft", rate) for rate in RATES["weights"]),
    ]
    assert {each.settings.max_steps for each in found} == {7}
    assert [each.settings.learning_rate for each in found] == [each.rate for each in found]
    assert found[0].settings.method == "pt+kl"


def test_the_nearest_rates_are_used() -> None:
    rates = {"": (1e-3,), "prompt": (2e-3, 2e-3), "pt+kl": (3e-3,), "pt+kl:lambda=0.5": (4e-3,)}
    found = candidates_of(["pt+kl:lambda=0.5", "pt+kl", "pt", "ft"], rates, COMMON)
    assert [each.rate for each in found] == [4e-3, 3e-3, 2e-3, 1e-3]


def test_a_method_may_have_settings_of_its_own() -> None:
    first, second = candidates_of(
        ["pt+kl:lambda=0.5:num-tokens=20:detach_reference=false", "pt+kl"], {"": (1e-3,)}, COMMON
    )
    assert (first.settings.lambda_, first.settings.num_tokens, first.settings.detach_reference) == (0.5, 20, False)
    assert second.settings.lambda_ == 0.8
    assert first.label == "pt+kl:lambda=0.5:num-tokens=20:detach_reference=false at 0.001"


def test_a_text_to_start_from_is_for_soft_prompts_and_an_adapter_is_for_its_kind(tmp_path: Path) -> None:
    prompt, lora, tuned = candidates_of(["pt", "lora", "ft"], {"": (1e-3,)}, replace(COMMON, init="some text"))
    assert [each.settings.init for each in (prompt, lora, tuned)] == ["some text", *["random-vocabulary"] * 2]
    with pytest.raises(UsageError, match="--init: a low-rank adapter starts at zero"):
        candidates_of(["lora:init=some text"], {}, COMMON)
    with pytest.raises(ModelError, match=r"--init: '.*' is not an adapter folder"):
        candidates_of([f"lora:init={tmp_path}"], {}, COMMON)


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ([], "--methods: no method is named"),
        (["pt", "pt"], "--methods: a method is named twice"),
        (["pd"], "--method: no alignment method is called 'pd'"),
        (["pt:nonsense=1"], "--methods: the method pt has no option 'nonsense'"),
        (["pt:seed=1"], "--methods: the method pt has no option 'seed'"),
        (["pt:keep_epochs=all"], "--methods: the method pt has no option 'keep_epochs'"),
        (["pt:num_tokens=x"], "--methods: the value of 'num_tokens' is not valid"),
        (["pt:rank=4"], "--methods: the method pt has no option 'rank'"),
        (["pt+kl:lambda=2"], "--lambda: the value is not valid"),
    ],
)
def test_what_cannot_be_compared_is_refused(methods: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=f"^{message}"):
        candidates_of(methods, {}, COMMON)


def test_rates_for_nothing_are_refused() -> None:
    with pytest.raises(UsageError, match=r"^--rates: rates are given for 'weights'"):
        candidates_of(["pt"], {"weights": (1e-5,)}, COMMON)


def test_a_teacher_and_its_options() -> None:
    found = candidates_of(
        [
            "pt@ensemble",
            "pt@best:labelled=30:num_tokens=7",
            "pt@ensemble:teacher_as=distribution:teacher-calibration=none",
        ],
        {"pt": (1e-3,)},
        COMMON,
        seed=4,
    )
    assert [each.teacher for each in found] == [
        TeacherSettings("ensemble", seed=4),
        TeacherSettings("best", labelled=30, seed=4),
        TeacherSettings("ensemble", "distribution", "none", seed=4),
    ]
    assert [each.settings.method for each in found] == ["pt"] * 3
    assert found[1].settings.num_tokens == 7
    with pytest.raises(UsageError, match=r"^--teacher: no such choice .*got clever"):
        candidates_of(["pt@clever"], {}, COMMON)
    with pytest.raises(UsageError, match=r"^--methods: the method pt has no option 'labelled'"):
        candidates_of(["pt:labelled=3"], {}, COMMON)


def test_what_sees_labels() -> None:
    found = candidates_of(["pt+kl", "pt+kl:labels=none", "pt@majority"], {"": (1e-3,)}, COMMON)
    assert [each.sees_labels for each in found] == [True, False, False]
    assert found[1].settings.labels == "none"


def test_auto_is_the_recommended_method_at_its_rate() -> None:
    (found,) = candidates_of(["auto"], {}, AlignmentSettings())
    assert (found.name, found.rate, found.settings.max_steps) == ("lora+paft+choice", 1e-3, 480)
    assert found.settings == AlignmentSettings("lora+paft+choice", learning_rate=1e-3, max_steps=480)
    assert [each.rate for each in candidates_of(["auto"], {"lora": (2e-4, 3e-4)}, COMMON)] == [2e-4, 3e-4]
    with pytest.raises(UsageError, match=r"^--methods: a method is named twice"):
        candidates_of(["auto", "lora+paft+choice"], {}, COMMON)


@pytest.mark.parametrize("recommended", ["auto", "lora+paft@ensemble", "lora+paft+choice:rank=2"])
def test_all_methods_have_the_length_of_the_recommended_one(recommended: str) -> None:
    assert {each.settings.max_steps for each in candidates_of(["pt", recommended], {}, AlignmentSettings())} == {480}
    assert {each.settings.max_steps for each in candidates_of(["pt", recommended], {}, COMMON)} == {7}
    by_epochs = candidates_of(["pt", recommended], {}, AlignmentSettings(epochs=2))
    assert {(each.settings.max_steps, each.settings.epochs) for each in by_epochs} == {(None, 2)}
    assert {each.settings.max_steps for each in candidates_of(["pt", "lora"], {}, AlignmentSettings())} == {None}
