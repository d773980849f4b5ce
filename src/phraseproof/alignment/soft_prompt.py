"""The trainable soft prompt: a few vectors at the input, or keys and values in every decoder layer.

Paper, section 5: ten vectors of the model's embedding size before the input of a frozen model. The paper's earlier
draft has a prefix in every layer instead, made by a small network during training (Li & Liang, 2021, section 4.3).
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast, get_args

import torch
from torch import Tensor, nn

from phraseproof.alignment.settings import RANDOM_VOCABULARY, Placement
from phraseproof.engine.network import Network, NetworkConfig
from phraseproof.engine.prefix_cache import CacheShape, KeyValuePrefix, cache_shape, flat_from_layers, prefix_from_flat
from phraseproof.errors import FileError, MissingExtraError, ModelError, UsageError
from phraseproof.files import publish
from phraseproof.models.huggingface.adapters import AdapterFolder
from phraseproof.models.huggingface.tokenization import Tokenizer

if TYPE_CHECKING:
    from peft import PeftConfig

_HIDDEN = 512
"""The hidden width of the network that makes a prefix during training."""


class SoftPrompt(nn.Module):
    """Trainable virtual tokens for one network, in float32 whatever the network's precision.

    Args:
        start: the initial values. At the input: embeddings [n, width]. In the layers: embeddings that the small
            network turns into keys and values, or, with `is_flat`, the keys and values themselves
            [n, layers * 2 * cache width].
        shape: the shape of the network's cache, for a prefix in the layers; `None` at the input.
        config: the network's configuration.
        is_flat: train keys and values directly, without the small network.
    """

    def __init__(
        self, start: Tensor, *, shape: CacheShape | None, config: NetworkConfig, is_flat: bool = False
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(start.detach().float().clone())
        self.placement: Placement = "input" if shape is None else "layers"
        self._shape = shape
        self._config = config
        self.transform: nn.Module | None = None
        if shape is not None and not is_flat:
            self.transform = nn.Sequential(
                nn.Linear(int(start.shape[1]), _HIDDEN),
                nn.Tanh(),
                nn.Linear(_HIDDEN, shape.layers * 2 * shape.width),
            ).to(start.device)

    @classmethod
    def create(cls, network: Network, *, n: int, placement: str, init: str, seed: int, tokenizer: Tokenizer) -> Self:
        """Create a soft prompt for a network.

        Args:
            network: a transformers model of either family; it is not changed.
            n: the number of virtual tokens.
            placement: `input` or `layers`.
            init: `random-vocabulary` (the embeddings of n random ordinary tokens), the path of an adapter folder with
                the same n and placement (a prefix is then trained as keys and values, because its small network was
                not saved), or any other text, whose embeddings are truncated or repeated to n.
            seed: the seed of the random tokens and the small network.
            tokenizer: the network's tokenizer.

        Raises:
            UsageError: an unknown placement, n below 1, a text without tokens, or a path that does not exist.
            ModelError: a network that takes no prefix, or an adapter that does not fit.
        """
        if placement not in get_args(Placement):
            raise UsageError(f"unknown placement '{placement}'", expected="input or layers", where="--placement")
        if n < 1:
            raise UsageError(
                "a soft prompt needs a virtual token", expected="1 or more", got=str(n), where="--num-tokens"
            )
        shape = cache_shape(network) if placement == "layers" else None
        if init != RANDOM_VOCABULARY and Path(init).is_dir():
            start = _from_adapter(network, Path(init), n, shape)
            return cls(start, shape=shape, config=network.config, is_flat=shape is not None)
        embeddings = network.get_input_embeddings().weight.detach()
        ids = _random_ids(tokenizer, n, seed) if init == RANDOM_VOCABULARY else _text_ids(tokenizer, init, n)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return cls(embeddings[torch.tensor(ids, device=embeddings.device)], shape=shape, config=network.config)

    @property
    def count(self) -> int:
        """The number of virtual tokens."""
        return int(self.weight.shape[0])

    @property
    def virtual(self) -> Tensor | None:
        """At the input: the virtual tokens' embeddings [n, width]; otherwise `None`."""
        return self.weight if self._shape is None else None

    def prefix(self, dtype: torch.dtype) -> KeyValuePrefix | None:
        """In the layers: keys and values in that precision; otherwise `None`."""
        if self._shape is None:
            return None
        flat = flat_from_layers(self._flat(), self._shape).to(dtype)
        return prefix_from_flat(
            flat,
            stored_layers=self._shape.stored_layers(),
            stored_heads=self._shape.heads,
            shape=self._shape,
            config=self._config,
        )

    def save(self, folder: Path, base_model_name: str) -> None:
        """Write an ordinary PEFT folder: `adapter_config.json` and `adapter_model.safetensors`.

        Each file is replaced atomically; other files in the folder stay. A prefix is saved as its keys and values,
        without the small network.

        Raises:
            FileError: the folder cannot be written.
            MissingExtraError: peft is not installed.
        """
        from safetensors.torch import save_file

        stored = self.weight if self._shape is None else flat_from_layers(self._flat(), self._shape)
        tensor = stored.detach().float().cpu().contiguous()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder, prefix=".adapter-") as temporary:
                save_file({"prompt_embeddings": tensor}, Path(temporary, "adapter_model.safetensors"))
                self._peft_config(base_model_name).save_pretrained(temporary)
                for name in ("adapter_model.safetensors", "adapter_config.json"):
                    publish(Path(temporary, name), folder / name)
        except OSError as error:
            raise FileError("the adapter cannot be written", got=str(error), where=str(folder)) from error

    def _flat(self) -> Tensor:
        """Keys and values of every layer, [n, layers * 2 * cache width]."""
        return self.weight if self.transform is None else self.transform(self.weight)

    def _peft_config(self, base_model_name: str) -> PeftConfig:
        try:
            import peft
        except ImportError:
            raise MissingExtraError("an adapter", extra="hf", package="peft") from None
        common: dict[str, Any] = {
            "task_type": "SEQ_2_SEQ_LM" if self._config.is_encoder_decoder else "CAUSAL_LM",
            "base_model_name_or_path": base_model_name,
            "num_virtual_tokens": self.count,
            "inference_mode": True,
        }
        text = self._config.get_text_config()
        if self._shape is None:
            return peft.PromptTuningConfig(
                token_dim=int(self.weight.shape[1]),
                num_transformer_submodules=1,
                num_attention_heads=text.num_attention_heads if hasattr(text, "num_attention_heads") else 1,
                num_layers=text.num_hidden_layers,
                **common,
            )
        return peft.PrefixTuningConfig(
            token_dim=self._shape.width,
            num_transformer_submodules=2 if self._config.is_encoder_decoder else 1,
            num_attention_heads=self._shape.heads,
            num_layers=self._shape.stored_layers(),
            encoder_hidden_size=_HIDDEN,
            prefix_projection=False,
            **common,
        )


def _random_ids(tokenizer: Tokenizer, n: int, seed: int) -> list[int]:
    special = set(cast("list[int]", tokenizer.all_special_ids))
    ordinary = torch.tensor([token for token in range(len(tokenizer)) if token not in special])
    drawn = torch.randint(len(ordinary), (n,), generator=torch.Generator().manual_seed(seed))
    return ordinary[drawn].tolist()


def _text_ids(tokenizer: Tokenizer, text: str, n: int) -> list[int]:
    if text.startswith(("/", "./", "../", "~")) and " " not in text:
        raise UsageError(f"there is no adapter folder '{text}'", where="--init")
    ids: list[int] = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    if not ids:
        raise UsageError(
            "the initial text has no tokens",
            expected=f"{RANDOM_VOCABULARY}, a text, or an adapter folder",
            got=repr(text),
            where="--init",
        )
    return [ids[index % len(ids)] for index in range(n)]


def _from_adapter(network: Network, folder: Path, n: int, shape: CacheShape | None) -> Tensor:
    attached = AdapterFolder(folder).attach_soft(network)
    if (attached.prefix is None) is not (shape is None):
        raise ModelError(
            f"the soft prompt of the adapter '{folder}' has another placement",
            expected="a soft prompt at the input" if shape is None else "a soft prompt in the layers",
            where="--init",
            hint="Use the adapter's --placement",
        )
    if attached.prefix is None:
        start = cast("Tensor", attached.virtual)
    else:
        layered = attached.prefix.keys_values  # [layers, 2, heads, n, head width]
        start = layered.permute(3, 0, 1, 2, 4).reshape(attached.prefix.count, -1)
    if int(start.shape[0]) != n:
        raise ModelError(
            f"the soft prompt of the adapter '{folder}' has another size",
            expected=f"{n} virtual tokens",
            got=str(int(start.shape[0])),
            where="--init",
            hint=f"Set --num-tokens {int(start.shape[0])}",
        )
    return start
