"""The model of a worker: kept while it is the same, and read from what was sent where it is not on the machine."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from phraseproof.errors import ModelError
from phraseproof.evaluation.distributed.kept_model import KeptModel
from phraseproof.evaluation.distributed.messages import Setup
from phraseproof.evaluation.distributed.pooled import PooledWorkers
from phraseproof.evaluation.distributed.sent_folders import pack
from phraseproof.models import ModelOptions
from support.inline_pool import InlinePool, fetch, planned_for
from support.parity_project import write_project
from support.tiny_models import tiny_llama
from support.tiny_trainings import train


def setup_of(project: Path, model: str, **changes: Any) -> Setup:
    workers = planned_for(project, InlinePool(), model=model, **changes).workers
    assert isinstance(workers, PooledWorkers)
    return workers.setup([], self_test=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path, examples=1, wordings=1)


def test_it_is_loaded_again_only_if_it_is_another_one(project: Path) -> None:
    models, setup = KeptModel(fetch), setup_of(project, str(tiny_llama()))
    first = models.of(setup)
    assert models.of(setup) is first
    assert models.of(replace(setup, device="cpu:0")) is not first
    models.drop()
    assert models.of(setup) is not first


def test_an_adapter_that_is_not_on_the_machine_is_the_one_that_was_sent(project: Path) -> None:
    base, adapter = tiny_llama(), project / "adapter"
    train(base, adapter, max_steps=1, held_out_fraction=0.0)
    setup = setup_of(project, str(base), model_options=ModelOptions(adapter=adapter))
    assert setup.folders == (adapter,)
    setup = replace(setup, sent=tuple(pack(folder, bytes) for folder in setup.folders))
    shutil.rmtree(adapter)
    written = f"{adapter}/."
    for options in (ModelOptions(adapter=adapter), ModelOptions(args={"adapter": written})):
        models = KeptModel(fetch)
        assert models.of(replace(setup, share=replace(setup.share, options=options))).identity == setup.identity
        models.close()
    with pytest.raises(ModelError, match="is not an adapter folder"):
        KeptModel(fetch).of(replace(setup, sent=()))


def test_a_model_that_was_trained_here_is_sent_and_another_one_is_not(project: Path) -> None:
    model = project / "tuned"
    shutil.copytree(tiny_llama(), model)
    assert setup_of(project, str(model)).folders == ()
    (model / "phraseproof.json").write_text('{"version": 1}')
    setup = setup_of(project, str(model))
    assert setup.folders == (model,)
    sent = replace(setup, sent=(pack(model, bytes),))
    shutil.rmtree(model)
    models = KeptModel(fetch)
    assert models.of(sent).identity == setup.identity
    models.close()
    shutil.copytree(tiny_llama(max_length=512), model)
    with pytest.raises(ModelError, match=f"the worker finds another model under the name {model}"):
        KeptModel(fetch).of(sent)
