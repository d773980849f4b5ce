"""The inference side of adapters: an ordinary PEFT folder, applied to a model whose own weights stay as they are.

Injected adapters (LoRA and the like) go through peft. Prompt tuning at the input is a few virtual tokens' embeddings,
which our own passes put before a prompt, as PEFT's forward does (paper, section 5: ten vectors before the input).
Prefix tuning is keys and values that our passes put into the decoder's cache (`prefix.py`).
"""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from phraseproof.engine.network import Network
from phraseproof.errors import MissingExtraError, ModelError
from phraseproof.identity import file_hash
from phraseproof.models.huggingface.model_files import check_model_file

if TYPE_CHECKING:
    import torch

    from phraseproof.engine.prefix_cache import KeyValuePrefix

_SOFT_FILE = "adapter_model.safetensors"
_SOFT_KEY = "prompt_embeddings"
INPUT_SIDE = ("PROMPT_TUNING", "P_TUNING")
"""PEFT's types of soft prompts at the input."""

_LAYER_SIDE = "PREFIX_TUNING"
_TASK_TYPES = {"CAUSAL_LM": "decoder-only", "SEQ_2_SEQ_LM": "an encoder-decoder"}


class AttachedAdapter:
    """An adapter at work on a network.

    Args:
        virtual: for a soft prompt at the input, the virtual tokens' embeddings [virtual tokens, width].
        prefix: for a soft prompt in every layer, its keys and values.
        injected: for any other, the PEFT model that holds the network.
    """

    def __init__(
        self, *, virtual: torch.Tensor | None = None, prefix: KeyValuePrefix | None = None, injected: Any = None
    ) -> None:
        self._virtual = virtual
        self._prefix = prefix
        self._injected = injected
        self._is_off = False

    @property
    def virtual(self) -> torch.Tensor | None:
        """Embeddings to put before a prompt, [virtual tokens, width], or `None`."""
        return None if self._is_off else self._virtual

    @property
    def prefix(self) -> KeyValuePrefix | None:
        """What a decoder's cache is to hold before it reads anything, or `None`."""
        return None if self._is_off else self._prefix

    @contextlib.contextmanager
    def off(self) -> Generator[None]:
        """The base model alone, inside the context."""
        self._is_off = True
        try:
            with self._injected.disable_adapter() if self._injected is not None else contextlib.nullcontext():
                yield
        finally:
            self._is_off = False


class SoftPromptSize(NamedTuple):
    """The tokens of a soft prompt: at the input, where they are computed, and in every layer, where they are there."""

    virtual: int
    prefix: int


class AdapterFolder:
    """A PEFT folder, its configuration read and found usable.

    Raises:
        ModelError: not an adapter, one of a kind that is not supported, or without weights in safetensors.
        MissingExtraError: peft is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from peft import PeftConfig
        except ImportError:
            raise MissingExtraError("an adapter", extra="hf", package="peft") from None
        self._folder = self.folder = folder
        if not (folder / "adapter_config.json").is_file():
            raise ModelError(
                f"'{folder}' is not an adapter folder",
                expected="a folder with adapter_config.json, as PEFT's save_pretrained writes it",
                where="--adapter",
            )
        for name in ("adapter_config.json", _SOFT_FILE):
            if (folder / name).exists():
                check_model_file(folder / name)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._config: Any = PeftConfig.from_pretrained(str(folder))
        except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            raise self._error("its configuration cannot be read", got=" ".join(str(error).split())[:200]) from error
        self._type: str = str(getattr(self._config.peft_type, "value", self._config.peft_type))
        self._is_soft = self._type in {*INPUT_SIDE, _LAYER_SIDE}
        if self._config.is_prompt_learning and not self._is_soft:
            raise self._error(
                f"adapters of the type {self._type} are not supported yet",
                expected=f"{', '.join(INPUT_SIDE)}, {_LAYER_SIDE}, or an injected adapter such as LORA",
            )
        if not (folder / _SOFT_FILE).is_file():
            raise self._error("it has no weights in safetensors", expected=_SOFT_FILE, got="no such file")

    @functools.cached_property
    def content_hash(self) -> str:
        """A hash of the adapter's configuration and weights."""
        return file_hash(self._folder / "adapter_config.json", self._folder / _SOFT_FILE)

    @functools.cached_property
    def weights_hash(self) -> str:
        """A hash of the adapter's weights alone: its configuration names the path of the base model."""
        return file_hash(self._folder / _SOFT_FILE)

    @property
    def config(self) -> Any:
        """Its configuration, as PEFT reads it."""
        return self._config

    @property
    def peft_type(self) -> str:
        """PEFT's name of its kind."""
        return self._type

    @property
    def is_soft(self) -> bool:
        """Whether it is a soft prompt, at the input or in every layer."""
        return self._is_soft

    @property
    def soft_prompt_size(self) -> SoftPromptSize:
        """The tokens that it adds, by its configuration."""
        if not self._is_soft:
            return SoftPromptSize(0, 0)
        count = int(self._config.num_virtual_tokens)
        return SoftPromptSize(0, count) if self._type == _LAYER_SIDE else SoftPromptSize(count, 0)

    def check_family(self, *, encoder_decoder: bool) -> None:
        """Whether it is for such models: widths may agree where the kind does not.

        Raises:
            ModelError: its configuration names a task type of the other kind.
        """
        said = getattr(self._config, "task_type", None)
        declared = str(getattr(said, "value", said))
        wanted = "SEQ_2_SEQ_LM" if encoder_decoder else "CAUSAL_LM"
        if declared in _TASK_TYPES and declared != wanted:
            raise self._error(
                "it was made for another kind of model",
                expected=f"the task type {wanted}, as the model is {_TASK_TYPES[wanted]}",
                got=f"{declared}, for {_TASK_TYPES[declared]}",
                hint=self._made_for(),
            )

    def attach(self, network: Network) -> AttachedAdapter:
        """Put the adapter to work.

        Raises:
            ModelError: an adapter that was made for another base model, or whose weights cannot be read.
        """
        return self.attach_soft(network) if self._is_soft else self._attach_injected(network)

    def attach_soft(self, network: Network) -> AttachedAdapter:
        """A soft prompt, in the network's precision and on its device; the network itself stays as it is.

        Raises:
            ModelError: no soft prompt, one that was made for another base model, or weights that cannot be read.
        """
        if not self._is_soft:
            raise self._error("it is not a soft prompt", expected=f"{', '.join(INPUT_SIDE)} or {_LAYER_SIDE}")
        embeddings = network.get_input_embeddings().weight
        if self._type == _LAYER_SIDE:
            stored = self._stored()
            self._check_rows(stored, 1)
            return AttachedAdapter(prefix=self._prefix(network, stored.to(embeddings)))
        virtual = self.input_embeddings(int(embeddings.shape[1]))
        return AttachedAdapter(virtual=virtual.to(device=embeddings.device, dtype=embeddings.dtype))

    def input_embeddings(self, width: int) -> torch.Tensor:
        """The embeddings of a soft prompt at the input, as they are stored: [virtual tokens, width].

        Args:
            width: of the model's embeddings.

        Raises:
            ModelError: it was made for another base model, or its weights cannot be read.
        """
        stored = self._stored()
        # For an encoder-decoder PEFT may store a second set, for the decoder's side, which its forward leaves out too.
        sets = int(getattr(self._config, "num_transformer_submodules", None) or 1)
        self._check_rows(stored, sets)
        virtual = stored[: self._config.num_virtual_tokens]
        if virtual.dim() != 2 or int(virtual.shape[1]) != width:
            raise self._error(
                "it was made for another base model",
                expected=f"virtual tokens of the model's width {width}",
                got=f"a tensor of shape {tuple(virtual.shape)}",
                hint=self._made_for(),
            )
        return virtual

    def tensors(self) -> dict[str, torch.Tensor]:
        """Its weights, by PEFT's names.

        Raises:
            ModelError: they cannot be read.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(self._folder / _SOFT_FILE)
        except (OSError, SafetensorError) as error:
            raise self._error("its weights cannot be read", got=str(error)) from error

    def _stored(self) -> torch.Tensor:
        tensors = self.tensors()
        if _SOFT_KEY not in tensors:
            raise self._error("it holds no soft prompt", expected=f"a tensor '{_SOFT_KEY}'", got=", ".join(tensors))
        return tensors[_SOFT_KEY]

    def _check_rows(self, stored: torch.Tensor, sets: int) -> None:
        """Whether the tensor has as many rows as the configuration promises virtual tokens.

        Args:
            sets: how many sets of virtual tokens are stored.
        """
        count, rows = int(self._config.num_virtual_tokens), int(stored.shape[0]) if stored.dim() else 0
        if count < 1 or rows != count * sets:
            raise self._error(
                "its configuration and its weights disagree",
                expected=f"num_virtual_tokens to be {rows // sets}, as {rows} rows of '{_SOFT_KEY}' say",
                got=f"num_virtual_tokens {count}",
            )

    def _prefix(self, network: Network, stored: torch.Tensor) -> KeyValuePrefix:
        from phraseproof.engine.prefix_cache import cache_shape, prefix_from_flat

        try:
            shape = cache_shape(network)
            return prefix_from_flat(
                stored,
                stored_layers=self._config.num_layers or shape.stored_layers(),
                stored_heads=self._config.num_attention_heads or shape.heads,
                shape=shape,
                config=network.config,
            )
        except ModelError as error:
            raise self._error(error.problem, expected=error.expected, got=error.got, hint=self._made_for()) from error

    def _attach_injected(self, network: Network) -> AttachedAdapter:
        from peft import PeftModel
        from safetensors import SafetensorError

        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                injected: Any = PeftModel.from_pretrained(network, str(self._folder), is_trainable=False)
        except (OSError, ValueError, RuntimeError, KeyError, TypeError, SafetensorError) as error:
            raise self._error(
                "it does not fit the base model", got=" ".join(str(error).split())[:200], hint=self._made_for()
            ) from error
        for warning in caught:
            text = " ".join(str(warning.message).split())
            if "missing adapter keys" in text:
                raise self._error("it does not fit the base model", got=text[:200], hint=self._made_for())
        injected.eval()
        injected.requires_grad_(False)
        return AttachedAdapter(injected=injected)

    def _made_for(self) -> str | None:
        base: str | None = self._config.base_model_name_or_path
        return f"Its configuration says that it was made for '{base}'" if base else None

    def _error(
        self, problem: str, *, expected: str | None = None, got: str | None = None, hint: str | None = None
    ) -> ModelError:
        return ModelError(
            f"the adapter '{self._folder}' cannot be used: {problem}",
            expected=expected,
            got=got,
            where="--adapter",
            hint=hint,
        )
