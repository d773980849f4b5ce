"""What a search would compute, against what one has computed."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.hardening.search import run_search
from phraseproof.hardening.search_forecast import forecast_search
from phraseproof.hardening.search_plan import SearchInput
from phraseproof.hardening.search_settings import SearchSettings
from phraseproof.instructions.collections import Collection
from phraseproof.models.huggingface.model import HuggingFaceModel
from phraseproof.store.queries import load_run
from support.harden_data import make_task, make_wordings
from support.tiny_models import tiny_llama


@pytest.mark.slow
def test_the_forecast_counts_what_is_computed(tmp_path: Path) -> None:
    given = SearchInput([make_task(size=33)], [Collection("mine", make_wordings(8))])
    settings = SearchSettings(
        ("pt@majority",),
        {"": (1e-3,)},
        AlignmentSettings(max_steps=1, num_tokens=2, held_out_fraction=0.0),
        validation_limit=7,
    )
    forecast = forecast_search(str(tiny_llama()), given, settings)
    found = run_search(str(tiny_llama()), given, tmp_path, settings)
    trainings = [training for each in (*found.searched, *found.refitted) for training in each.trainings]
    assert forecast.searched + forecast.refitted == len(trainings) == 2
    for place, name in enumerate(("steps", "prompts", "tokens")):
        assert forecast.training[place] == sum(getattr(training.cost, name) for training in trainings)
    runs = [load_run(path.parent) for path in tmp_path.rglob("run.json")]
    assert forecast.evaluations == len(runs) == 6
    base = [run for run in runs if run.path.parent.name == "base"]
    once = {(row["instruction"], row["example_id"]) for run in base for row in run.outcomes().to_pylist()}
    assert forecast.prompts == len(once) + sum(len(run.outcomes()) for run in runs if run not in base)
    assert len(once) < sum(len(run.outcomes()) for run in base)
    assert forecast.tokens is not None
    assert forecast.tokens > 0


def test_without_labels_it_asks_the_model_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: object) -> None:
        raise AssertionError("the model was asked")

    monkeypatch.setattr(HuggingFaceModel, "score_options", asked)
    given = SearchInput([make_task(size=33)], [Collection("mine", make_wordings(8))])
    settings = SearchSettings(
        ("pt+kl:labels=none",), {"": (1e-3,)}, AlignmentSettings(max_steps=1, num_tokens=2, held_out_fraction=0.0)
    )
    forecast = forecast_search(str(tiny_llama()), given, settings)
    assert (forecast.searched, forecast.refitted, forecast.training.steps) == (1, 1, 2)
    assert forecast.training.tokens > 0
