"""The methods by name: which there are, how packages add some, and that listing them is cheap."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import subprocess
import sys

import pytest

from phraseproof.alignment.method import Method
from phraseproof.alignment.methods import METHODS, known_methods


def test_every_method_of_the_paper_is_there() -> None:
    assert set(METHODS) == {
        *("pt+kl", "pt", "ft", "ft+kl", "pt+contrastive", "ft+contrastive", "mse", "negation", "joint")
    }
    assert all(name == method.name and method.summary for name, method in METHODS.items())
    assert {name for name, method in METHODS.items() if method.trains == "weights"} == {"ft", "ft+kl", "ft+contrastive"}
    assert {name for name, method in METHODS.items() if not method.uses_kl} == {"pt", "ft", "mse"}
    assert {name for name, method in METHODS.items() if method.needs_negations} == {"negation", "joint"}


def test_listing_methods_does_not_import_torch() -> None:
    code = "import sys, phraseproof.alignment.methods; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_installed_packages_add_methods(monkeypatch: pytest.MonkeyPatch) -> None:
    extra = dataclasses.replace(METHODS["pt"], name="mine")

    class Entry:
        name = "mine"

        def load(self) -> Method:
            return extra

    def entry_points(group: str) -> list[Entry]:
        assert group == "phraseproof.alignment_methods"
        return [Entry()]

    monkeypatch.setattr("phraseproof.alignment.methods.entry_points", entry_points)
    assert known_methods() == {**METHODS, "mine": extra}
    assert importlib.metadata.entry_points is not entry_points
