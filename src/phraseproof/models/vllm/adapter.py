"""Adapters in vLLM: a PEFT folder with a LoRA or a soft prompt at the input, checked before the engine starts."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, cast

from phraseproof.errors import ModelError
from phraseproof.files import read_json
from phraseproof.identity import file_hash
from phraseproof.models.huggingface.adapters import INPUT_SIDE, AdapterFolder

if TYPE_CHECKING:
    import torch

_WEIGHTS = "adapter_model.safetensors"
_LORA = "LORA"


class VllmAdapter:
    """A PEFT folder that vLLM can use.

    Args:
        folder: as PEFT's `save_pretrained` writes it.

    Raises:
        ModelError: not an adapter, or one of another kind, such as a DoRA.
        MissingExtraError: peft, which reads soft prompts, is not installed.
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
        self._config = cast("dict[str, object]", content) if isinstance(content, dict) else {}
        kind = self._config.get("peft_type")
        if kind not in {_LORA, *INPUT_SIDE}:
            raise ModelError(
                "vLLM takes LoRA adapters and soft prompts at the input only",
                expected=f"one of the peft_types {', '.join((_LORA, *INPUT_SIDE))}",
                got=f"{kind}",
                where=str(config),
                hint="Leave out 'vllm/' to load the model with Hugging Face transformers",
            )
        if self._config.get("use_dora"):
            raise ModelError(
                "vLLM does not take DoRA adapters",
                expected="a LoRA, or a model with the adapter in its weights",
                where=str(config),
                hint="Merge it (`align --merge`), or leave out 'vllm/' to load it with Hugging Face transformers",
            )
        self._soft: AdapterFolder | None = None
        if kind != _LORA:
            self._soft = AdapterFolder(folder)
            self._soft.check_family(encoder_decoder=False)

    @functools.cached_property
    def content_hash(self) -> str:
        """A hash of the adapter's configuration and weights."""
        return file_hash(self._folder / "adapter_config.json", self._folder / _WEIGHTS)

    @property
    def lora(self) -> Path | None:
        """The folder of a LoRA."""
        return self._folder if self._soft is None else None

    @property
    def largest_rank(self) -> int:
        """The largest rank of a LoRA's layers; 0 for a soft prompt."""
        if self._soft is not None:
            return 0
        pattern = self._config.get("rank_pattern")
        of_layers = cast("dict[str, object]", pattern).values() if isinstance(pattern, dict) else ()
        return max((rank for rank in (self._config.get("r"), *of_layers) if isinstance(rank, int)), default=0)

    def soft_prompt(self, width: int) -> torch.Tensor | None:
        """The embeddings of a soft prompt, [virtual tokens, width].

        Args:
            width: of the model's embeddings.

        Raises:
            ModelError: it was made for another base model, or its weights cannot be read.
        """
        return None if self._soft is None else self._soft.input_embeddings(width)
