"""The model that a training starts from, and its precision."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from phraseproof.errors import ModelError
from phraseproof.models import ModelOptions
from phraseproof.training.base_model import load_base
from support import tiny_models


@pytest.mark.parametrize(
    ("dtype", "trains_weights", "expected"),
    [("auto", True, "float32"), ("auto", False, "float32"), ("bfloat16", True, "bfloat16")],
)
def test_weights_are_float32_on_a_cpu_unless_the_user_says_otherwise(
    tmp_path: Path, dtype: str, trains_weights: bool, expected: str
) -> None:
    folder = shutil.copytree(tiny_models.tiny_llama(), tmp_path / "half")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "dtype": "bfloat16", "torch_dtype": "bfloat16"}))
    options = ModelOptions(device="cpu", dtype=dtype)
    assert load_base(str(folder), options, trains_weights=trains_weights).dtype == expected


def test_a_model_that_is_no_network_is_refused() -> None:
    with pytest.raises(ModelError, match="cannot be trained"):
        load_base("scripted", ModelOptions(), trains_weights=True)
