"""LoRA adapters in vLLM: a PEFT folder, checked before the engine starts."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import cast

from phraseproof.errors import ModelError
from phraseproof.files import read_json
from phraseproof.identity import file_hash

_WEIGHTS = "adapter_model.safetensors"


class LoraFolder:
    """A PEFT folder with a LoRA.

    Args:
        folder: as PEFT's `save_pretrained` writes it.

    Raises:
        ModelError: not an adapter, or one of another kind.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        config = folder / "adapter_config.json"
        if not config.is_file() or not (folder / _WEIGHTS).is_file():
            raise ModelError(
                f"'{folder}' is not an adapter folder",
                expected=f"a folder with adapter_config.json and {_WEIGHTS}, as PEFT's save_pretrained writes it",
                where="--adapter",
            )
        try:
            content = read_json(config)
        except (OSError, ValueError) as error:
            raise ModelError("the adapter's configuration cannot be read", got=str(error), where=str(config)) from None
        kind = cast("dict[str, object]", content).get("peft_type") if isinstance(content, dict) else None
        if kind != "LORA":
            raise ModelError(
                "vLLM takes LoRA adapters only",
                expected="the peft_type LORA",
                got=f"{kind}",
                where=str(config),
                hint="Leave out 'vllm/' to load the model with Hugging Face transformers",
            )

    @functools.cached_property
    def content_hash(self) -> str:
        """A hash of the adapter's configuration and weights."""
        return file_hash(self._folder / "adapter_config.json", self._folder / _WEIGHTS)
