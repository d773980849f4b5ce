"""Gradient checkpointing: a layer keeps its input only, and the backward pass runs it again for everything else."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import cast

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint
from transformers.modeling_layers import GradientCheckpointingLayer

Surroundings = Callable[[], AbstractContextManager[object]]
"""Makes a context that a pass needs; called again for every layer that is run again."""

_SURROUNDINGS: ContextVar[Surroundings] = ContextVar("surroundings", default=contextlib.nullcontext)


@contextlib.contextmanager
def run_again_in(surroundings: Surroundings) -> Generator[None]:
    """Enter a context, and enter it once more whenever a layer that is called inside is run again.

    A layer is run again in the backward pass, when the context of its forward pass has ended.
    """
    token = _SURROUNDINGS.set(surroundings)
    try:
        with surroundings():
            yield
    finally:
        _SURROUNDINGS.reset(token)


class CheckpointedLayers:
    """The layers of a network that can be run again: those that transformers declares for it.

    Args:
        network: a transformers model; not changed.
    """

    def __init__(self, network: nn.Module) -> None:
        found = [module for module in network.modules() if isinstance(module, GradientCheckpointingLayer)]
        inner = {module for layer in found for module in layer.modules() if module is not layer}
        self._layers = [layer for layer in found if layer not in inner]

    def __len__(self) -> int:
        return len(self._layers)

    @contextlib.contextmanager
    def in_place(self) -> Generator[None]:
        """Inside the context, layers keep their inputs only. Passes without gradients are as before."""
        before = [vars(layer).get("forward") for layer in self._layers]
        try:
            for layer in self._layers:
                layer.forward = functools.partial(_checkpointed, layer.forward)
            yield
        finally:
            for layer, forward in zip(self._layers, before, strict=True):
                # Deleted, so that the class's own method is used again and the network is as it was.
                if forward is None:
                    del layer.forward
                else:
                    layer.forward = forward


def _checkpointed(forward: Callable[..., object], *inputs: object, **named: object) -> object:
    if not torch.is_grad_enabled():
        return forward(*inputs, **named)
    again = _SURROUNDINGS.get()

    def contexts() -> tuple[AbstractContextManager[object], AbstractContextManager[object]]:
        return contextlib.nullcontext(), again()

    run = functools.partial(forward, **named)
    return cast("object", checkpoint(run, *inputs, use_reentrant=False, context_fn=contexts))
