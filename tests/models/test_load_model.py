"""The registry: which provider answers to which name."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from phraseproof import models
from phraseproof.errors import ModelError
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.causal_lm import CausalLMBackend
from phraseproof.models.huggingface.model import HuggingFaceModel
from phraseproof.models.huggingface.seq2seq_lm import Seq2SeqLMBackend
from phraseproof.models.scripted import ScriptedModel
from support import tiny_gguf, tiny_models


def test_built_in_names_and_folders() -> None:
    assert isinstance(load_model("scripted"), ScriptedModel)
    for folder, backend in ((tiny_models.tiny_t5(), Seq2SeqLMBackend), (tiny_models.tiny_llama(), CausalLMBackend)):
        model = load_model(str(folder))
        assert isinstance(model, HuggingFaceModel)
        assert isinstance(model.backend, backend)


@pytest.mark.parametrize("name", ["scripted", "pocket", "pocket/small"])
def test_a_folder_of_a_provider_s_name_is_meant_if_it_holds_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    shipped = load_model(name).identity
    monkeypatch.chdir(tmp_path)
    (tmp_path / name / "cells").mkdir(parents=True)
    assert load_model(name).identity == shipped
    (tmp_path / name / "cells").rmdir()
    (tmp_path / name).rmdir()
    shutil.copytree(tiny_models.tiny_llama(), tmp_path / name)
    assert load_model(name).identity.revision != shipped.revision


def announced(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    entry = EntryPoint(name="theirs", value=value, group=models.ENTRY_POINT_GROUP)
    monkeypatch.setattr(models, "entry_points", lambda group: [entry] if group == models.ENTRY_POINT_GROUP else [])


def their_provider(name: str, options: ModelOptions) -> Any:
    return ScriptedModel(seed=options.batch_size or 0, name=name)


def test_third_parties_bring_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "their_package", sys.modules[__name__])
    announced(monkeypatch, "their_package:their_provider")
    model = load_model("theirs/large", ModelOptions(batch_size=7))
    assert model.identity.name == "theirs/large"
    assert model.identity.settings["seed"] == "7"
    announced(monkeypatch, "their_package:__doc__")
    with pytest.raises(ModelError, match="the installed provider 'theirs' of models cannot be used"):
        load_model("theirs")


def test_what_is_not_there_yet_says_so() -> None:
    with pytest.raises(ModelError, match=r"'org/some-model'.*hub cannot be reached"):
        load_model("org/some-model")


def test_importing_the_room_imports_no_torch() -> None:
    code = (
        "import sys, phraseproof.models, phraseproof.scoring.accuracy\n"
        "print([name for name in ('torch', 'transformers', 'peft', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_gguf_file_is_found_by_its_path(tmp_path: Path) -> None:
    tiny_gguf.write(tmp_path / "tiny.Q8.GGUF", ("Q8_0",))
    model = load_model(str(tmp_path / "tiny.Q8.GGUF"))
    assert isinstance(model, HuggingFaceModel)
    assert model.identity.settings["gguf"] == "Q8_0 16, F32 5"
