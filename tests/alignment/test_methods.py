"""The methods by name: which there are, how packages add some, and that listing them is cheap."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import subprocess
import sys

import pytest
import torch

from phraseproof.alignment.method import GroupOutput, LossSettings, Method, OptionOutput
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


def drawn_group(generator: torch.Generator) -> GroupOutput:
    """One set under a reference, two paraphrases and two negations, with two options of two tokens."""

    def logits(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, 7, generator=generator)

    targets = torch.tensor([[1, 2]])
    of_options = torch.tensor([[1, 2], [3, 2]])
    options = OptionOutput(logits(3, 2, 2), of_options.expand(3, 2, 2), torch.ones(3, 2, 2, dtype=torch.bool), 0)
    mask = torch.ones(5, 2, dtype=torch.bool)
    states = torch.randn(5, 3, 4, generator=generator)
    return GroupOutput(logits(5, 2), targets.expand(5, 2), mask, 2, 2, prefix_states=states, options=options)


@pytest.mark.parametrize("name", [name for name, method in METHODS.items() if method.trains == "prompt"])
def test_a_setting_is_unused_where_it_does_not_change_the_loss(name: str) -> None:
    method = METHODS[name]
    generator = torch.Generator().manual_seed(0)
    groups = [drawn_group(generator) for _ in range(2)]
    if not method.uses_paraphrases or method.draws_one:
        groups = [group._replace(paraphrases=0, negations=2) if method.needs_negations else group for group in groups]

    def loss(**changes: float) -> float:
        return float(method.loss(groups, LossSettings(**changes)).total)  # pyright: ignore[reportArgumentType]

    for setting, one, other in (("lambda_", 0.3, 0.6), ("push_bound", 1.0, 0.1)):
        is_same = loss(**{setting: one}) == pytest.approx(loss(**{setting: other}), abs=1e-6)
        assert (setting in method.unused_settings) == is_same, setting
    assert "rank" in method.unused_settings
    assert "num_tokens" not in method.unused_settings
    if not method.needs_encoder_states:  # that loss is of soft prompts only
        assert "rank" not in method.training("lora").unused_settings
        assert "num_tokens" in method.training("lora").unused_settings
