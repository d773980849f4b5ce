"""What a pass leaves behind in a network, put back before the next pass, so that no score depends on earlier prompts.

Rotary positions of the kind `dynamic` keep the frequencies of the longest sequence so far. BigBird's block-sparse
attention turns into full attention for good after its first short sequence.
"""

from __future__ import annotations

from typing import Any

import torch

from phraseproof.engine.network import Network

_REMEMBERING = ("dynamic", "longrope")
"""Kinds of rotary positions that write into their module."""

_WRITTEN = ("max_seq_len_cached", "_scaling")


class PassState:
    """The state of a network that has computed nothing yet. Empty for most networks.

    Args:
        network: a transformers model, just loaded.
    """

    def __init__(self, network: Network) -> None:
        self._rotary: list[tuple[torch.nn.Module, dict[str, Any], dict[str, torch.Tensor]]] = []
        self._attention: list[tuple[Any, str]] = []
        for module in network.modules():
            if any(kind in str(getattr(module, "rope_type", "")) for kind in _REMEMBERING):
                plain = {name: value for name, value in vars(module).items() if name.endswith(_WRITTEN)}
                buffers = {name: buffer.clone() for name, buffer in module.named_buffers(recurse=False)}
                self._rotary.append((module, plain, buffers))
            if hasattr(module, "set_attention_type") and hasattr(module, "attention_type"):
                self._attention.append((module, str(module.attention_type)))

    def restore(self) -> None:
        """Make the network compute as if it had computed nothing before."""
        for module, plain, buffers in self._rotary:
            vars(module).update(plain)
            for name, buffer in buffers.items():
                # Where the module is now: a training may have moved it since.
                module.register_buffer(name, buffer.to(module.get_buffer(name).device, copy=True), persistent=False)
        for module, kind in self._attention:
            if module.attention_type != kind:
                module.set_attention_type(kind)
