"""What is trained, in the form that Accelerate wraps: a network, with a soft prompt of its own or without."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)

from phraseproof.alignment.soft_prompt import SoftPrompt
from phraseproof.engine.training.forward import Row, TargetForward, TargetLogits


class Trainee(nn.Module):
    """A network and its soft prompt as one module, so that one wrapper serves one process, several, and FSDP.

    Args:
        network: frozen where there is a soft prompt; else all of it is trained.
        soft: the soft prompt, or `None`.
        joined: prompt and target are one text (decoder-only).
        pad_id: a token to pad with.
    """

    def __init__(self, network: nn.Module, soft: SoftPrompt | None, *, joined: bool, pad_id: int) -> None:
        super().__init__()
        self.network = network
        self.soft = soft
        network.requires_grad_(soft is None)
        self._target_forward = TargetForward(network, joined=joined, pad_id=pad_id, soft=soft)
        # No dropout, whatever is trained: noise between two wordings of an example would be read as disagreement, and
        # a training without random numbers can be resumed to the bit.
        self.eval()

    def forward(
        self, rows: Sequence[Row], *, need_prefix_states: bool = False, without_graph: Collection[int] = ()
    ) -> TargetLogits:
        """The logits at the rows' target tokens: see `TargetForward`."""
        return self._target_forward(rows, need_prefix_states=need_prefix_states, without_graph=without_graph)

    @property
    def is_lean(self) -> bool:
        """Whether rows are run without padding: see `TargetForward`."""
        return self._target_forward.is_lean

    @property
    def trained(self) -> list[str]:
        """The names of the parameters that are trained; of tied ones, the first."""
        return [name for name, parameter in self.named_parameters() if parameter.requires_grad]


_FULL = StateDictOptions(full_state_dict=True, cpu_offload=True, ignore_frozen_params=True, strict=False)
_OWN = StateDictOptions(ignore_frozen_params=True, strict=False)


def read_weights(trainee: nn.Module, names: Sequence[str]) -> dict[str, torch.Tensor]:
    """Copies, in memory, of the trained parameters of a trainee, wrapped or not; on the first process only.

    Every process must call it.
    """
    state: dict[str, Any] = get_model_state_dict(trainee, options=_FULL)
    return {name: state[name].cpu().contiguous().clone() for name in names if name in state}


def write_weights(trainee: nn.Module, weights: Mapping[str, torch.Tensor]) -> None:
    """Give the trained parameters the values that `read_weights` read; every process must call it."""
    set_model_state_dict(trainee, dict(weights), options=_FULL)


def read_optimizer(trainee: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, dict[str, torch.Tensor]]:
    """The optimizer's tensors by parameter, then by name; on the first process only. Every process must call it."""
    state: Any = get_optimizer_state_dict(trainee, optimizer, options=_FULL).get("state", {})
    return {
        str(parameter): {key: torch.as_tensor(value).cpu().contiguous().clone() for key, value in slots.items()}
        for parameter, slots in state.items()
    }


def write_optimizer(
    trainee: nn.Module, optimizer: torch.optim.Optimizer, state: Mapping[str, Mapping[str, torch.Tensor]]
) -> None:
    """Give the optimizer what `read_optimizer` read; every process must call it."""
    groups: Any = get_optimizer_state_dict(trainee, optimizer, options=_OWN)["param_groups"]
    content: Any = {"state": {name: dict(slots) for name, slots in state.items()}, "param_groups": groups}
    set_optimizer_state_dict(trainee, optimizer, content, options=_FULL)


def weights_hash(network: nn.Module) -> str:
    """A hash of every parameter and buffer, by name and bytes: of this process's part where they are sharded."""
    digest = hashlib.blake2b(digest_size=16)
    with torch.no_grad():
        for name, tensor in (*network.named_parameters(), *network.named_buffers()):
            whole: Any = tensor
            local = whole.to_local() if hasattr(whole, "to_local") else whole
            digest.update(f"{name}\0{local.dtype}\0{tuple(local.shape)}\0".encode())
            flat = local.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
            digest.update(memoryview(flat.numpy()))
    return digest.hexdigest()
