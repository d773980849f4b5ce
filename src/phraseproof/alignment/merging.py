"""Merge a low-rank adapter into its base model: an ordinary transformers folder, which needs neither PEFT nor us."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from phraseproof.alignment.method import LOW_RANK, Method
from phraseproof.errors import ModelError, RunError, UsageError
from phraseproof.identity import file_hash
from phraseproof.store.training_record import read_record, write_record

if TYPE_CHECKING:
    from phraseproof.models.huggingface.trainable import ModelToTrain

MERGED_FOLDER = "merged"
"""The folder of the merged model, in the adapter's folder."""


def check_mergeable(method: Method) -> None:
    """Refuse to merge what has no weights to merge.

    Raises:
        UsageError: the method trains no low-rank adapter.
    """
    if method.trains not in LOW_RANK:
        raise UsageError(
            f"the result of {method.name} cannot be merged into a model",
            expected="a method that trains a low-rank adapter, such as lora+kl",
            where="--merge",
            hint="ft writes a whole model anyway" if not method.writes_adapter else None,
        )


def merge_adapter(model: ModelToTrain, adapter: Path) -> Path:
    """Write the base model with the adapter in its weights, its tokenizer, and the record of the training's wordings.

    The weights are in the precision of the loaded model; in half precision, merging rounds. A folder that holds this
    very adapter merged is left as it is.

    Args:
        model: the base model. Its weights are changed; use it no more.
        adapter: the folder of a finished training.

    Returns:
        The folder, `adapter/merged`.

    Raises:
        RunError: the folder holds another model.
        ModelError: the merged weights are not finite.
        FileError: the folder cannot be written.
    """
    out = adapter / MERGED_FOLDER
    origin = file_hash(adapter / "adapter_config.json", adapter / "adapter_model.safetensors")
    found = read_record(out)
    if found is not None and found.get("merged_adapter") == origin and found.get("base_dtype") == model.dtype:
        return out
    if found is None and (out / "config.json").exists():
        raise RunError(
            "the folder holds a model that phraseproof did not write",
            where=str(out),
            hint="Move it away, or give another --out",
        )
    from peft import PeftModel

    from phraseproof.training.export import write_model

    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # on settings that are right: PEFT finds the heads of T5 untied, as they are
            injected: Any = PeftModel.from_pretrained(model.network, str(adapter))
            network = injected.merge_and_unload(safe_merge=True)
    except ValueError as error:  # of safe_merge: NaN or infinity
        raise ModelError("the merged weights are not finite", got=str(error)[:200], where=str(adapter)) from error
    (out / "config.json").unlink(missing_ok=True)  # of an earlier adapter: a folder with one is complete
    write_model(network, model.tokenizer, out)
    record = dict(read_record(adapter) or {})
    write_record(out, {**record, "kind": "model", "merged_adapter": origin, "base_dtype": model.dtype})
    return out
