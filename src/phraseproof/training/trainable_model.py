"""The module that Accelerate wraps: a network, with or without a soft prompt. Also reads and writes its state."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import cast

import torch
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    OptimizerStateType,
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.tensor import DTensor

from phraseproof.engine.training.forward import TargetForward, TargetLogits, TargetRow, TrainableTokens
from phraseproof.engine.training.gradient_checkpointing import CheckpointedLayers
from phraseproof.engine.training.low_rank import base_name, is_low_rank
from phraseproof.errors import ModelError


class TrainableModel(nn.Module):
    """A network and what is trained of it as one module, so that one wrapper serves one or several processes and FSDP.

    Args:
        network: frozen if there is a soft prompt or an adapter; otherwise all its weights are trained.
        soft: the soft prompt, a module, or `None`.
        joined: prompt and target are one sequence (decoder-only).
        pad_id: the token for padding.
        adapter: the parameters of the adapter in the network's layers, or `None`.
        gradient_checkpointing: layers keep their inputs only, and the backward pass runs them again.

    Raises:
        ModelError: gradient checkpointing, and a network without layers that can be run again.
    """

    def __init__(
        self,
        network: nn.Module,
        soft: TrainableTokens | None,
        *,
        joined: bool,
        pad_id: int,
        adapter: Sequence[nn.Parameter] | None = None,
        gradient_checkpointing: bool = False,
    ) -> None:
        super().__init__()
        self.network = network
        self.soft = cast("nn.Module | None", soft)
        network.requires_grad_(soft is None and adapter is None)
        for parameter in adapter or ():
            parameter.requires_grad_(True)
        self._checkpointed = CheckpointedLayers(network) if gradient_checkpointing else None
        if self._checkpointed is not None and not len(self._checkpointed):
            raise ModelError(
                "this model does not say which of its layers can be run again",
                expected="a model with layers for gradient checkpointing",
                got=type(network).__name__,
                where="--gradient-checkpointing",
                hint="Train without it; fewer --paraphrases-per-batch take less memory",
            )
        self._target_forward = TargetForward(network, joined=joined, pad_id=pad_id, soft=soft)
        # No dropout, whatever is trained: noise between two wordings of an example would count as a difference between
        # the wordings, and a training without random numbers can be resumed bit for bit.
        self.eval()

    def forward(
        self, rows: Sequence[TargetRow], *, need_prefix_states: bool = False, without_graph: Collection[int] = ()
    ) -> TargetLogits:
        """The logits at the rows' target tokens; see `TargetForward`."""
        with contextlib.nullcontext() if self._checkpointed is None else self._checkpointed.in_place():
            return self._target_forward(rows, need_prefix_states=need_prefix_states, without_graph=without_graph)

    @property
    def is_packed(self) -> bool:
        """Whether rows are run without padding; see `TargetForward`."""
        return self._target_forward.is_packed

    @property
    def trained(self) -> list[str]:
        """The names of the trained parameters; of tied parameters, the first name."""
        return [name for name, parameter in self.named_parameters() if parameter.requires_grad]


_FULL = StateDictOptions(full_state_dict=True, cpu_offload=True, ignore_frozen_params=True, strict=False)
_OWN = StateDictOptions(ignore_frozen_params=True, strict=False)


def read_weights(model: nn.Module, names: Sequence[str]) -> dict[str, torch.Tensor]:
    """Copy the trained parameters of a model, wrapped or not, to CPU memory; on the first process only.

    Every process must call it.
    """
    state = cast("dict[str, torch.Tensor]", get_model_state_dict(model, options=_FULL))
    return {name: state[name].cpu().contiguous().clone() for name in names if name in state}


def write_weights(model: nn.Module, weights: Mapping[str, torch.Tensor]) -> None:
    """Set the trained parameters to values from `read_weights`. Every process must call it."""
    set_model_state_dict(model, dict(weights), options=_FULL)


def read_optimizer(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, dict[str, torch.Tensor]]:
    """Copy the optimizer's tensors by parameter, then by name; on the first process only.

    Every process must call it.
    """
    found = get_optimizer_state_dict(model, optimizer, options=_FULL).get("state", {})
    state = cast("Mapping[str, Mapping[str, torch.Tensor | float]]", found)
    return {
        parameter: {key: torch.as_tensor(value).cpu().contiguous().clone() for key, value in slots.items()}
        for parameter, slots in state.items()
    }


def write_optimizer(
    model: nn.Module, optimizer: torch.optim.Optimizer, state: Mapping[str, Mapping[str, torch.Tensor]]
) -> None:
    """Set the optimizer's state to values from `read_optimizer`. Every process must call it."""
    groups = get_optimizer_state_dict(model, optimizer, options=_OWN)["param_groups"]
    content: OptimizerStateType = {
        "state": {name: dict(slots) for name, slots in state.items()},
        "param_groups": groups,
    }
    set_optimizer_state_dict(model, optimizer, content, options=_FULL)


def weights_hash(network: nn.Module) -> str:
    """Hash every parameter and buffer by name and bytes; if they are sharded, this process's shards.

    The hash of a network does not change when an adapter is put into its layers.
    """
    digest = hashlib.blake2b(digest_size=16)
    with torch.no_grad():
        for name, tensor in (*network.named_parameters(), *network.named_buffers()):
            if is_low_rank(name):
                continue
            local = tensor.to_local() if isinstance(tensor, DTensor) else tensor
            digest.update(f"{base_name(name)}\0{local.dtype}\0{tuple(local.shape)}\0".encode())
            flat = local.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
            digest.update(flat.numpy().data)
    return digest.hexdigest()
