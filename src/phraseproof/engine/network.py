"""Types for third-party objects that the engine handles and that have no usable types."""

from __future__ import annotations

from typing import Any, TypeAlias

Network: TypeAlias = Any
"""A transformers model of any architecture. Its methods (`get_encoder`, `generate`, ...) differ by class, and torch
types every attribute of a module as `Tensor | Module`; what comes out of a network is annotated at first use."""

NetworkConfig: TypeAlias = Any
"""A transformers configuration: which attributes it has depends on the model."""

AutogradContext: TypeAlias = Any
"""The first argument of an autograd function's `forward` and `backward`; torch's type lacks what we store in it."""
