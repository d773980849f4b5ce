"""The checks of `doctor` as a function: the installation, and models on plain questions or one's own data."""

from __future__ import annotations

import platform
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from phraseproof.errors import UsageError
from phraseproof.evaluation.doctor import check_installation, check_model
from support.tiny_models import tiny_llama, tiny_t5


def test_the_installation_names_every_package_with_its_version() -> None:
    checks = {check.name: check for check in check_installation()}
    assert checks["phraseproof"].detail == metadata.version("phraseproof")
    assert platform.python_version() in checks["python"].detail
    assert f"transformers {metadata.version('transformers')}" in checks["hugging face packages"].detail
    assert all(check.passed for check in checks.values())


@pytest.mark.parametrize(
    ("units", "pays", "emulated", "expected"),
    [
        ("AMX", True, False, "bfloat16 by AMX: evaluate --dtype bfloat16 --rescore-ties is faster than float32"),
        (None, False, True, "bfloat16 is emulated (no AVX512-BF16, no AMX): --dtype bfloat16 is slower than float32"),
        (None, False, False, "bfloat16 is not used for speed on this CPU"),
    ],
)
def test_what_bfloat16_means_on_this_cpu_is_said(
    units: str | None, pays: bool, emulated: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "phraseproof.engine.cpu.half_products"
    monkeypatch.setattr(f"{module}.bfloat16_units", lambda: units)
    monkeypatch.setattr(f"{module}.half_products_pay", lambda: pays)
    monkeypatch.setattr(f"{module}.emulated", lambda _dtype: emulated)
    checks = {check.name: check for check in check_installation()}
    assert checks["half precision on the CPU"] == ("half precision on the CPU", True, expected)


def test_a_missing_package_fails_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = metadata.version

    def version(name: str) -> str:
        if name == "peft":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr("phraseproof.evaluation.doctor.metadata.version", version)
    checks = {check.name: check for check in check_installation()}
    assert checks["hugging face packages"] == (
        "hugging face packages",
        False,
        "missing: peft; pip install 'phraseproof[hf]'",
    )
    assert "accelerator" in checks


@pytest.mark.parametrize("make", [tiny_llama, tiny_t5])
def test_networks_pass_their_own_checks_on_plain_questions(make: Callable[[], Path]) -> None:
    checks = check_model(str(make()), "", "composed", prompt_format="plain")
    assert len(checks) >= 3
    assert [check for check in checks if not check.passed] == []


def test_what_is_named_is_checked_as_an_evaluation_checks_it() -> None:
    with pytest.raises(UsageError, match="unknown option 'limt'"):
        check_model("scripted", "", "composed", limt=3)
    with pytest.raises(UsageError):
        check_model("scripted", "no such task", "composed")
