"""Models: anything with a capability of `core/capabilities.py`, found by name.

`scripted` is a fake that needs no torch, `pocket` the tiny model that is shipped, `smollm2` a small real one in a
package of its own, `openai/NAME` a model behind a server with OpenAI's protocol, and `vllm/NAME` one that vLLM computes
in this process. Any other name is a Hugging Face hub id, a folder or a GGUF file, unless an installed package has a
provider under the entry-point group `phraseproof.models`: a callable `(name, options) -> Model`, used for `NAME` and
`NAME/anything`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from phraseproof.core import Model
from phraseproof.errors import ModelError, UsageError
from phraseproof.garbage_collection import importing
from phraseproof.installed import entry_points
from phraseproof.models.options import ModelOptions

__all__ = ["ModelOptions", "load_model"]

ENTRY_POINT_GROUP = "phraseproof.models"

Provider = Callable[[str, ModelOptions], Model]

# The first part of a model's name -> the module whose `load(name, options)` makes it. Named, not imported: a provider
# imports torch or httpx, which other models do not need.
_PROVIDERS = {
    "scripted": "phraseproof.models.scripted",
    "pocket": "phraseproof.models.pocket",
    "smollm2": "phraseproof.models.smollm2",
    "openai": "phraseproof.models.openai",
    "llamacpp": "phraseproof.models.llamacpp",
    "vllm": "phraseproof.models.vllm",
}
_DEFAULT_PROVIDER = "phraseproof.models.huggingface.provider"


def load_model(name: str, options: ModelOptions = ModelOptions()) -> Model:
    """Find a model by name. Its weights are not loaded before they are needed.

    Args:
        name: `scripted`, `pocket`, `smollm2`, a Hugging Face hub id (`google/flan-t5-base`), a folder, a GGUF file,
            `openai/NAME`, `vllm/NAME`, or a third party's `NAME/...`.
        options: precision, device, adapter and so on.

    Raises:
        UsageError: an option or `--model-arg` that the provider does not have or cannot use.
        ModelError: no such model, an unreachable hub, a folder that does not hold a model, an unusable adapter.
        MissingExtraError: the provider's packages are not installed.
    """
    if not name.strip():
        raise UsageError("the model's name is empty", expected="a hub id, a folder, or 'scripted'", where="--model")
    prefix = name.partition("/")[0]
    # A folder with a model comes first, so that a local one called `pocket` or `openai` can be named, too. Any other
    # folder of a provider's name, such as a run's, is not meant.
    if Path(name).is_dir() and (prefix not in _PROVIDERS or (Path(name) / "config.json").exists()):
        return _provider(_DEFAULT_PROVIDER)(name, options)
    if "base_url" in options.args and prefix != "openai":
        raise UsageError(
            f"'{name}' is not a model behind a server",
            where="--base-url",
            hint=f"Write openai/{name} for the model that the server calls {name}",
        )
    if prefix in _PROVIDERS:
        return _provider(_PROVIDERS[prefix])(name, options)
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        if entry.name == prefix:
            return _third_party(entry.load(), entry.name)(name, options)
    return _provider(_DEFAULT_PROVIDER)(name, options)


def _provider(module: str) -> Provider:
    with importing(module):
        load: Provider = import_module(module).load
    return load


def _third_party(load: Provider, name: str) -> Provider:
    if not callable(load):
        raise ModelError(
            f"the installed provider '{name}' of models cannot be used",
            expected="a callable (name, options) -> Model",
            got=type(load).__name__,
        )
    return load
