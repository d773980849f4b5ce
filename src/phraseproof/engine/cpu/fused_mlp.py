"""Gated feed-forward layers with activation and factor fused into the packed products, and a faster GELU.

The same functions in fewer passes over memory.

transformers' `NewGELUActivation` is the tanh form of GELU in eight passes; torch has it in one.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from transformers.activations import ACT2FN, NewGELUActivation

from phraseproof.engine.cpu.packed_linear import PackedLinear

NAMES = (("gate_proj", "up_proj", "down_proj", "act_fn"), ("wi_0", "wi_1", "wo", "act"))
"""The names of the four parts, in Llama and related models and in T5."""


def fuse_gates(network: nn.Module) -> int:
    """Let gated layers whose linear layers are packed run fused; changed in place, weights and names stay.

    Returns:
        How many layers were changed.
    """
    done = 0
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if type(child) is NewGELUActivation:
                setattr(module, name, nn.GELU(approximate="tanh"))
        for names in NAMES:
            gate, up, down, activation = (getattr(module, name, None) for name in names)
            said = activation_in_onednn(activation)
            if said and type(gate) is PackedLinear and type(up) is PackedLinear and isinstance(down, nn.Module):
                if gate.is_half != up.is_half or _has_half_bias(gate, up):
                    continue
                plain: Callable[[torch.Tensor], torch.Tensor] = module.forward
                module.forward = _Fused(plain, gate, up, down, said)
                done += 1
    return done


def unfuse_gates(network: nn.Module) -> None:
    """Undo `fuse_gates`: gated layers run their own forward pass again."""
    for module in network.modules():
        if isinstance(vars(module).get("forward"), _Fused):
            del module.forward


def gate_layers(network: nn.Module) -> set[nn.Module]:
    """The layers of fused gates, whose products are computed without a call of the layer."""
    fused = [module.forward for module in network.modules() if isinstance(vars(module).get("forward"), _Fused)]
    return {layer for each in fused if isinstance(each, _Fused) for layer in (each.gate, each.up)}


def _has_half_bias(*layers: PackedLinear) -> bool:
    """Whether a layer adds a bias to products in bfloat16: it is added in float32, after them."""
    return any(layer.is_half and layer.bias is not None for layer in layers)


class _Fused:
    def __init__(
        self,
        plain: Callable[[torch.Tensor], torch.Tensor],
        gate: PackedLinear,
        up: PackedLinear,
        down: nn.Module,
        activation: tuple[str, str],
    ) -> None:
        self._plain, self.gate, self.up, self._down, self._activation = plain, gate, up, down, activation

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        # The fused operators have no backward pass: training takes the module's own code.
        if torch.is_grad_enabled() and x.requires_grad:
            return self._plain(x)
        x = x.to(self.gate.weight.dtype).contiguous()
        return self._down(self.up.times(x, self.gate.activated(x, *self._activation)))


def activation_in_onednn(activation: object) -> tuple[str, str] | None:
    """An activation's name and algorithm there, or `None` where it has none."""
    if type(activation) in {nn.SiLU, type(ACT2FN["silu"])}:
        return ("swish", "")
    if type(activation) is nn.GELU:
        return ("gelu", str(activation.approximate))
    if type(activation) is type(ACT2FN["gelu"]):
        return ("gelu", "none")
    tanh = {NewGELUActivation, type(ACT2FN["gelu_pytorch_tanh"])}
    return ("gelu", "tanh") if type(activation) in tanh else None
