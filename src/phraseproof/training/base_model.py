"""The model that a training starts from."""

from __future__ import annotations

from dataclasses import replace

from phraseproof.errors import ModelError, UsageError
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.model import HuggingFaceModel


def load_base(model: str | HuggingFaceModel, options: ModelOptions, *, trains_weights: bool) -> HuggingFaceModel:
    """The model that a training starts from, with plain layers. Its weights are not loaded yet.

    Args:
        model: a hub id, a folder, or a loaded model.
        options: how to load a model that is given by name.
        trains_weights: all weights are trained: then the precision `auto` is float32.

    Raises:
        ModelError: a model that cannot be trained.
        UsageError: a model with an adapter.
    """
    if isinstance(model, str):
        args = dict(options.args)
        precision = args.get("dtype", options.dtype)
        if trains_weights and precision == "auto":
            # Half precision rounds small steps away. --mixed-precision computes in it, but keeps float32 weights.
            args.pop("dtype", None)
            options = replace(options, dtype="float32", args=args)
        loaded = load_model(model, options)
    else:
        loaded = model
    if not isinstance(loaded, HuggingFaceModel):
        raise ModelError(
            f"the model '{loaded.identity.name}' cannot be trained",
            expected="a Hugging Face model: a hub id or a folder",
            where="--model",
        )
    if loaded.has_adapter:
        raise UsageError(
            "training needs a model without an adapter",
            where="--adapter",
            hint="To start from an adapter, give its folder as --init",
        )
    return loaded.with_plain_layers()
