"""Packs the linear layers of a network for scoring, and tries whether it still computes the same.

In float32, one pass before and one after are compared: the logits, and what goes into and comes out of every linear
layer. Only where they differ is each layer tried alone, and each step followed by another pass. Both ways find:

* products of a layer that are wrong, be it in a single output feature or by less precision than float32: in the outputs
  of that layer, each feature relative to its own size. The first layer of each shape also has a trial before its plain
  weights are given up;
* a network that reads or changes the weights of its layers: the pass after packing fails, or gives other logits;
* a fused gated layer that is wrong: in the inputs of the layer behind it. Where its gate is closed, nothing of a
  product reaches them, so its two products are also compared alone;
* layers that the pass does not reach, such as experts that got no token: each of them is tried alone.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from phraseproof.engine.cpu import packed_linear
from phraseproof.engine.cpu.emulated_half import undo_widening, widen_products
from phraseproof.engine.cpu.fused_mlp import fuse_gates, gate_layers, unfuse_gates
from phraseproof.engine.cpu.half_products import with_half_products
from phraseproof.engine.cpu.packed_linear import PackedLinear, pack_linear_layers, unpack_linear_layers
from phraseproof.engine.network import Network
from phraseproof.engine.trial import same_features, same_logits, similar_logits, trial_logits
from phraseproof.errors import ModelError


class _Call(NamedTuple):
    """What one call of a layer read and gave, each [tokens, features]."""

    read: torch.Tensor
    gave: torch.Tensor


def pack_float32(network: Network) -> int:
    """Pack the linear layers of a frozen network where that is faster on this CPU and gives the same results.

    Args:
        network: on a CPU; changed in place, or left as it was.

    Returns:
        How many layers were packed.

    Raises:
        ModelError: packing changed the results, and undoing it did not bring them back.
    """
    if not packed_linear.packing_pays():
        return 0
    with _recorded(network) as before:
        expected = trial_logits(network)
    if expected is None:
        return 0
    modules = dict(network.named_modules())
    packed = pack_linear_layers(network, tried=[modules[name] for name in before])
    fuse_gates(network)
    if _is_right(network, expected, before):
        return packed
    unfuse_gates(network)
    unpack_linear_layers(network)
    return _pack_in_steps(network, expected)


def _pack_in_steps(network: Network, expected: torch.Tensor) -> int:
    if not same_logits(trial_logits(network), expected):
        raise ModelError(
            f"{type(network).__name__} cannot be scored: its weights changed while torch laid them out for this CPU",
            hint="This is a fault of torch or of this machine's memory; another version of torch may be without it",
        )
    packed = pack_linear_layers(network)
    if not same_logits(trial_logits(network), expected):
        unpack_linear_layers(network)
        return 0
    fuse_gates(network)
    if not same_logits(trial_logits(network), expected):
        unfuse_gates(network)
    return packed


def pack_half(network: Network) -> int | None:
    """Compute a frozen bfloat16 network on this CPU as `half_products.py` says.

    Logits in half precision differ by too much to show a layer that is wrong, so each layer is tried alone.

    Returns:
        How many layers were packed, or `None` where the network then computes something else: it is as it was.
    """
    expected = trial_logits(network)
    changed = with_half_products(network)
    if expected is None or not similar_logits(trial_logits(network), expected):
        changed.undo(network)
        return None
    fuse_gates(network)
    if not similar_logits(trial_logits(network), expected):
        unfuse_gates(network)
    return changed.packed


def widen_emulated(network: Network) -> int:
    """Compute the products of a frozen half-precision network in float32, as `emulated_half.py` says.

    Returns:
        How many layers were changed; none where the network then computes something else.
    """
    expected = trial_logits(network)
    changed = widen_products(network)
    if expected is not None and similar_logits(trial_logits(network), expected):
        return changed
    undo_widening(network)
    return 0


@torch.inference_mode()
def _is_right(network: Network, expected: torch.Tensor, before: Mapping[str, list[_Call]]) -> bool:
    with _recorded(network) as after:
        found = trial_logits(network)
    if not same_logits(found, expected):
        return False
    gates = gate_layers(network)
    fused = {name: module for name, module in network.named_modules() if module in gates}
    if not before.keys() - fused.keys() <= after.keys():
        return False
    return all(
        all(same_features(fused[name](call.read), call.gave) for call in calls)
        if name in fused
        else len(after[name]) == len(calls) and all(map(_is_same_call, after[name], calls))
        for name, calls in before.items()
    )


def _is_same_call(found: _Call, expected: _Call) -> bool:
    return same_features(found.read, expected.read) and same_features(found.gave, expected.gave)


@contextmanager
def _recorded(network: Network) -> Generator[dict[str, list[_Call]]]:
    """What all linear layers read and give inside the context, by their name."""
    calls: dict[str, list[_Call]] = {}

    def record(name: str, arguments: tuple[Any, ...], named: dict[str, Any], gave: torch.Tensor) -> None:
        read: torch.Tensor = arguments[0] if arguments else next(iter(named.values()))
        rows = (each.detach().reshape(-1, each.shape[-1]).clone() for each in (read, gave))
        calls.setdefault(name, []).append(_Call(*rows))

    handles = [
        module.register_forward_hook(
            lambda _, arguments, named, gave, name=name: record(name, arguments, named, gave), with_kwargs=True
        )
        for name, module in network.named_modules()
        if type(module) in {nn.Linear, Conv1D, PackedLinear}
    ]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()
