"""Trainable low-rank adapters: LoRA (Hu et al., 2021) and DoRA (Liu et al., 2024), as PEFT injects them into a network.

LoRA adds (alpha / rank) B A to the weights W of a linear layer; A is drawn at random and B starts at zero, so training
starts from the base model. DoRA scales every row of the sum to a trained length, which starts at the length in W.
"""

from __future__ import annotations

import contextlib
import tempfile
import warnings
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor, nn

from phraseproof.alignment.initial_adapter import load_low_rank
from phraseproof.alignment.settings import ALL_LINEAR
from phraseproof.engine.network import Network
from phraseproof.engine.training.low_rank import is_low_rank
from phraseproof.errors import FileError, MissingExtraError, ModelError, UsageError
from phraseproof.files import publish

if TYPE_CHECKING:
    from phraseproof.alignment.settings import AlignmentSettings
    from phraseproof.models.huggingface.adapters import AdapterFolder

_PREFIX = "base_model.model."
"""What PEFT writes before the names of a network's parameters."""

_ROUTERS = ("router", "gate", "classifier", "shared_expert_gate")
"""Names of the linear layers that choose experts. `gate` is also a feed-forward layer's in no network of transformers
that has experts elsewhere; gated feed-forward layers are called `gate_proj` or `wi_0`."""


class LowRankAdapter:
    """Low-rank weights at work in a network whose other weights are frozen.

    Args:
        injected: the PEFT model around the network.
    """

    def __init__(self, injected: Any) -> None:
        self._injected = injected

    @classmethod
    def inject(
        cls, network: Network, settings: AlignmentSettings, *, uses_dora: bool, start: AdapterFolder | None = None
    ) -> Self:
        """Put low-rank weights, in float32, into the linear layers of a network.

        It gives the same logits as before, or with `start` those of that adapter.

        Args:
            network: a frozen transformers model of either family; changed in place until `remove`.
            settings: rank, alpha, dropout, target modules, and the seed of A.
            uses_dora: train the lengths of the weights' rows too.
            start: an adapter whose weights are taken over.

        Raises:
            UsageError: names in `target_modules` that no linear layer has.
            ModelError: a network whose layers PEFT cannot adapt, or an adapter to start from that does not fit.
            MissingExtraError: peft is not installed.
        """
        try:
            from peft import LoraConfig, get_peft_model
        except ImportError:
            raise MissingExtraError("a low-rank adapter", extra="hf", package="peft") from None
        config = LoraConfig(
            r=settings.rank,
            lora_alpha=settings.resolved("lora").lora_alpha,  # pyright: ignore[reportArgumentType] - PEFT divides it by the rank, as a float
            lora_dropout=settings.lora_dropout,
            target_modules=target_modules(network, settings.target_modules),
            use_dora=uses_dora,
            task_type="SEQ_2_SEQ_LM" if network.config.is_encoder_decoder else "CAUSAL_LM",
        )
        if not hasattr(network, "prepare_inputs_for_generation"):
            raise _not_adaptable("a network without prepare_inputs_for_generation, which PEFT needs")
        try:
            with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
                warnings.simplefilter("ignore")  # PEFT adapts `Conv1D` layers by itself and says so
                torch.manual_seed(settings.seed)
                injected: Any = get_peft_model(network, config)
        except (ValueError, NotImplementedError) as error:  # with these, PEFT refuses kinds of layers
            raise _not_adaptable(str(error)) from error
        if start is not None:
            try:
                load_low_rank(injected, start, settings, uses_dora=uses_dora)
            except ModelError:
                injected.unload()
                raise
        return cls(injected)

    @property
    def parameters(self) -> list[nn.Parameter]:
        """The trained parameters, in the order of the network's."""
        return [value for name, value in self._network.named_parameters() if is_low_rank(name)]

    @contextlib.contextmanager
    def dropping(self, seed: int) -> Generator[None]:
        """Drop inputs inside the context, drawn from the seed; nothing without dropout.

        Other random numbers, and dropout elsewhere in the network, are as if there was no such context.
        """
        layers = [module for module in self._network.modules() if _drops(module)]
        if not layers:
            yield
            return
        device = self.parameters[0].device
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(seed)
            try:
                for layer in layers:
                    _set_training(layer, True)
                yield
            finally:
                for layer in layers:
                    _set_training(layer, False)

    def remove(self) -> None:
        """Give the network its own layers back."""
        self._injected.unload()

    def save(self, folder: Path, weights: Mapping[str, Tensor], base_model_name: str) -> None:
        """Write an ordinary PEFT folder: `adapter_config.json` and `adapter_model.safetensors`.

        Each file is replaced atomically; other files in the folder stay.

        Args:
            folder: where to.
            weights: the trained tensors by their names in the network.
            base_model_name: the hub id or the path of the base model.

        Raises:
            FileError: the folder cannot be written.
        """
        from peft import get_peft_model_state_dict
        from safetensors.torch import save_file

        config = self._injected.peft_config["default"]
        config.base_model_name_or_path = base_model_name
        config.inference_mode = True
        config.target_modules = sorted(config.target_modules)  # PEFT has a set: equal trainings write equal files
        named = {_PREFIX + name: tensor for name, tensor in weights.items()}
        stored: dict[str, Tensor] = get_peft_model_state_dict(self._injected, named, save_embedding_layers=False)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder, prefix=".adapter-") as temporary:
                tensors = {name: tensor.detach().float().cpu().contiguous() for name, tensor in stored.items()}
                save_file(tensors, Path(temporary, "adapter_model.safetensors"), metadata={"format": "pt"})
                config.save_pretrained(temporary)
                for name in ("adapter_model.safetensors", "adapter_config.json"):
                    publish(Path(temporary, name), folder / name)
        except OSError as error:
            raise FileError("the adapter cannot be written", got=str(error), where=str(folder)) from error

    @property
    def _network(self) -> Network:
        return self._injected.base_model.model


def target_modules(network: Network, wanted: str) -> list[str]:
    """The last parts of the names of the layers to adapt, sorted.

    Args:
        network: a transformers model.
        wanted: `all-linear` (the linear layers of attention and feed-forward layers), or names separated by commas.

    Raises:
        UsageError: a name that no linear layer has.
        ModelError: a network without such layers.
    """
    found = sorted({name.rpartition(".")[2] for name in _linear_layers(network)})
    if not found:
        raise ModelError("this model has no linear layers to adapt", where="--method", hint="Use --method pt+kl")
    if wanted == ALL_LINEAR:
        return found
    names = sorted({name.strip() for name in wanted.split(",") if name.strip()})
    unknown = [name for name in names if name not in found]
    if unknown or not names:
        raise UsageError(
            f"no linear layer of this model is called '{unknown[0]}'" if unknown else "no layers are named",
            expected=f"{ALL_LINEAR}, or names from: {', '.join(found)}",
            where="--target-modules",
        )
    return names


def _not_adaptable(found: str) -> ModelError:
    return ModelError(
        "this model's layers cannot be given low-rank adapters",
        got=" ".join(found.split())[:200],
        where="--method",
        hint="Use --method pt+kl, which trains a soft prompt",
    )


def _drops(module: nn.Module) -> bool:
    """Whether it is a layer with an adapter that has dropout."""
    dropout = getattr(module, "lora_dropout", None)
    return isinstance(dropout, nn.ModuleDict) and any(isinstance(each, nn.Dropout) for each in dropout.values())


def _set_training(layer: nn.Module, value: bool) -> None:
    # PEFT asks the layer itself too: for DoRA, it decides whether the base layer reads the dropped input.
    layer.training = value
    dropout = layer.get_submodule("lora_dropout")
    dropout.train(value)


def _linear_layers(network: Network) -> Sequence[str]:
    """The names of linear layers within the layers of a network: a number in the name says so."""
    from transformers.pytorch_utils import Conv1D

    head = network.get_output_embeddings()
    return [
        name
        for name, module in network.named_modules()
        if (isinstance(module, (nn.Linear, Conv1D)))
        and module is not head
        and any(part.isdecimal() for part in name.split("."))
        and name.rpartition(".")[2] not in _ROUTERS
    ]
