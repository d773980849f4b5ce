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
    assert {
        *("pt+kl", "pt", "ft", "ft+kl", "pt+contrastive", "ft+contrastive", "mse", "negation", "joint")
    } <= METHODS.keys()
    assert all(name == method.name and method.summary for name, method in METHODS.items())


def test_every_loss_has_everything_that_can_be_trained() -> None:
    losses = {
        "",
        "+kl",
        "+contrastive",
        "+negation",
        "+joint",
        "+js",
        "+majority",
        "+swarm",
        "+choice",
        "+paft",
        "+paft+choice",
    }
    for first, trains in (("lora", "lora"), ("dora", "dora"), ("ft", "weights")):
        assert {name for name, method in METHODS.items() if method.trains == trains} == {
            first + loss for loss in losses
        }
    assert {name for name, method in METHODS.items() if method.trains == "prompt"} == {
        *(
            "pt",
            "pt+kl",
            "pt+contrastive",
            "negation",
            "joint",
            "mse",
            "pt+js",
            "pt+majority",
            "pt+swarm",
            "pt+choice",
            "paft",
            "paft+choice",
        )
    }
    for soft, other in (("pt+kl", "lora+kl"), ("negation", "dora+negation"), ("joint", "ft+joint"), ("pt", "lora")):
        for field in dataclasses.fields(Method):
            if field.name not in {"name", "trains", "summary"}:
                assert getattr(METHODS[soft], field.name) == getattr(METHODS[other], field.name), (soft, field.name)


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
