"""The provider of Hugging Face models, by hub id, folder or GGUF file. It resolves options and checks them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from phraseproof.errors import ModelError, UsageError
from phraseproof.models.huggingface.checkpoint import Checkpoint
from phraseproof.models.huggingface.gguf import gguf_path
from phraseproof.models.huggingface.loaded import EVERYTHING, HALF_PRECISION
from phraseproof.models.huggingface.model import HuggingFaceModel
from phraseproof.models.options import ModelOptions, check_argument_names, positive_int

_KNOWN_ARGS = (
    "adapter",
    "attn_implementation",
    "batch_size",
    "device",
    "dtype",
    "gguf_file",
    HALF_PRECISION,
    "max_length",
    "revision",
    "stored_name",
    "tokenizer",
    "trust_remote_code",
)


def load(name: str, options: ModelOptions, *, shown_as: str | None = None) -> HuggingFaceModel:
    """Load a model by hub id, folder or file: configuration and tokenizer now, weights at the first scoring.

    Args:
        name: a hub id, a folder, or a GGUF file; with `gguf_file` among the arguments, the folder of that file.
        options: as the user gave them.
        shown_as: the model's name in runs and messages; by default `name`.

    Raises:
        ModelError, UsageError, MissingExtraError: as `phraseproof.models.load_model` says.
    """
    options = _resolve(name, options)
    file = gguf_path(name, options)
    if file is None and "tokenizer" in options.args:
        raise UsageError(
            "'tokenizer' is for GGUF files", where="--model-arg tokenizer", hint="A folder's own tokenizer is used"
        )
    if file is not None and shown_as is None:
        shown_as = str(Path(name) / options.args["gguf_file"]) if "gguf_file" in options.args else name
    shown_as = options.args.get("stored_name", shown_as)
    attention = options.args.get("attn_implementation")
    checkpoint = Checkpoint(name, options, attention=attention, shown_as=shown_as, gguf=file)
    # Checked before any weights are read: a wrong path shows in a second, not after minutes of loading.
    if options.adapter is not None and not (options.adapter / "adapter_config.json").is_file():
        raise ModelError(
            f"'{options.adapter}' is not an adapter folder",
            expected="a folder with adapter_config.json, as PEFT's save_pretrained writes it",
            where="--adapter",
        )
    return HuggingFaceModel(checkpoint)


def _resolve(name: str, options: ModelOptions) -> ModelOptions:
    """Apply `--model-arg` pairs, which override the options of the same name."""
    args = options.args
    check_argument_names(args, known=_KNOWN_ARGS, model=f"the Hugging Face model '{name}'")
    changed = dataclasses.replace(
        options,
        dtype=args.get("dtype", options.dtype),
        device=args.get("device", options.device),
        revision=args.get("revision", options.revision),
    )
    if "adapter" in args:
        changed = dataclasses.replace(changed, adapter=Path(args["adapter"]))
    if "max_length" in args:
        changed = dataclasses.replace(changed, max_length=positive_int(args["max_length"], name="max_length"))
    if "batch_size" in args:
        size = args["batch_size"]
        changed = dataclasses.replace(
            changed, batch_size=None if size == "auto" else positive_int(size, name="batch_size")
        )
    if args.get(HALF_PRECISION, EVERYTHING) != EVERYTHING:
        raise UsageError(
            "what is computed in half precision is the model's choice, or all",
            expected=f"{HALF_PRECISION}={EVERYTHING}",
            got=f"'{args[HALF_PRECISION]}'",
            where=f"--model-arg {HALF_PRECISION}",
        )
    if "trust_remote_code" in args:
        allowed = args["trust_remote_code"].lower()
        if allowed not in {"true", "false"}:
            raise UsageError(
                "'trust_remote_code' must be true or false", got=f"'{allowed}'", where="--model-arg trust_remote_code"
            )
        changed = dataclasses.replace(changed, trust_remote_code=allowed == "true")
    # Checked after all overrides, so that options from Python and from the command line get the same check.
    for field, value in (("max_length", changed.max_length), ("batch_size", changed.batch_size)):
        if value is not None and value < 1:
            raise UsageError("must be above zero", got=str(value), where=f"--{field.replace('_', '-')}")
    return changed
