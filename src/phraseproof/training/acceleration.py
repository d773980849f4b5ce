"""Hugging Face Accelerate for one training: its processes, device and precision."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING

from phraseproof.errors import MissingExtraError, ModelError, UsageError
from phraseproof.models import ModelOptions

if TYPE_CHECKING:
    from accelerate import Accelerator


@contextlib.contextmanager
def accelerated(
    mixed_precision: str | None, options: ModelOptions, *, less_memory: str
) -> Generator[tuple[Accelerator, ModelOptions]]:
    """The processes, and the options of the model with this process's device; afterwards, what is held is freed.

    Args:
        mixed_precision: `no`, `bf16`, `fp16`, or `None` for Accelerate's configuration.
        options: how to load the model.
        less_memory: what to try where memory runs out.

    Raises:
        UsageError: Accelerate refuses the configuration.
        ModelError: memory ran out.
    """
    accelerator, is_ours = _accelerator(mixed_precision, options)
    from accelerate.utils.memory import (
        should_reduce_batch_size,  # pyright: ignore[reportUnknownVariableType]
    )

    try:
        if accelerator.mixed_precision == "fp16" and accelerator.device.type == "cpu":
            raise UsageError(
                "float16 on a CPU is slow and overflows",
                expected="no, or bf16",
                got="fp16",
                where="--mixed-precision",
            )
        if accelerator.num_processes > 1 and options.device == "auto":
            options = replace(options, device=str(accelerator.device))
        yield accelerator, options
    except RuntimeError as error:
        if not should_reduce_batch_size(error):
            raise
        raise ModelError(
            "memory ran out while training",
            hint=less_memory,
        ) from error
    finally:
        accelerator.free_memory()
        if is_ours and accelerator.num_processes == 1:
            _forget_configuration()


def _forget_configuration() -> None:
    """Accelerate keeps its configuration for the whole process, and the next training may have another precision."""
    from accelerate.state import AcceleratorState

    # There is no public function for it.
    AcceleratorState._reset_state(reset_partial_state=True)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def _accelerator(mixed_precision: str | None, options: ModelOptions) -> tuple[Accelerator, bool]:
    """Returns the processes, and whether Accelerate had not been used in this process before."""
    try:
        from accelerate import Accelerator
        from accelerate.state import is_initialized
    except ImportError:
        raise MissingExtraError("training", extra="hf", package="accelerate") from None
    device = options.args.get("device", options.device)
    is_ours = not is_initialized()
    try:
        # The model's loader has placed the weights, so Accelerate must not move them.
        accelerator = Accelerator(mixed_precision=mixed_precision, cpu=device == "cpu", device_placement=False)
    except (ValueError, ImportError, RuntimeError) as error:
        if is_ours:  # it may have been refused after it was kept
            _forget_configuration()
        raise UsageError(
            "Accelerate refuses this configuration",
            got=" ".join(str(error).split())[:200],
            where="--mixed-precision" if mixed_precision else None,
        ) from error
    return accelerator, is_ours
