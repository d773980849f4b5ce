"""bfloat16 networks on a CPU: products with weights in bfloat16, everything between them in float32.

Where a CPU multiplies bfloat16 at twice the speed of float32, the products are what gains. Norms, attention, residuals
and the softmax gain nothing from half precision there and lose accuracy, and so does the output head: rounded to
bfloat16, a logit of 15 moves by up to 0.06.
"""

from __future__ import annotations

import functools
from typing import Literal, NamedTuple

import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from phraseproof.engine.cpu.packed_linear import PackedLinear, pack_linear_layers, packing_pays, unpack_linear_layers
from phraseproof.engine.network import Network

Units = Literal["AMX", "AVX512-BF16"]


class HalfProducts(NamedTuple):
    """A network whose products are in bfloat16, and what was changed.

    Attributes:
        packed: the number of packed layers, the output head included.
        layers: the names of the linear layers that were bfloat16.
        widened: the parameters and buffers that are float32 now, by their module and name.
    """

    packed: int
    layers: list[str]
    widened: list[tuple[nn.Module, str]]

    def undo(self, network: Network) -> None:
        """Make all of the network bfloat16 again, bit for bit."""
        unpack_linear_layers(network)
        for module, name in self.widened:
            _convert(module, name, torch.bfloat16)
        # A head that was packed in float32 is another layer now.
        for name in self.layers:
            network.get_submodule(name).to(torch.bfloat16)


def bfloat16_units() -> Units | None:
    """The units of this CPU that multiply bfloat16, or `None` where bfloat16 is emulated, slower than float32."""
    if torch.cpu._is_amx_tile_supported():  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - no public names
        return "AMX"
    found = torch.cpu._is_avx512_bf16_supported()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    return "AVX512-BF16" if found else None


def emulated(dtype: str) -> bool:
    """Whether this CPU has no units for a half precision, so that computing in it is slower than in float32.

    Args:
        dtype: `bfloat16`, `float16` or another name.
    """
    # Only of x86 this is known; others have units that torch does not name.
    if not torch.backends.cpu.get_cpu_capability().startswith("AVX"):
        return False
    if dtype == "bfloat16":
        return bfloat16_units() is None
    return dtype == "float16" and not torch.ops.mkldnn._is_mkldnn_fp16_supported()  # noqa: SLF001


@functools.cache
def half_products_pay() -> bool:
    """Whether bfloat16 networks are computed in this way on this CPU. A fixed rule, as for `packing_pays`."""
    return bfloat16_units() is not None and packing_pays()


def with_half_products(network: Network) -> HalfProducts:
    """Pack the linear layers of a frozen bfloat16 network, and make everything else float32; changed in place.

    The output head becomes float32 too. Weights keep their values: those of the checkpoint, rounded to bfloat16.
    """
    half = {id(value) for value in network.parameters() if value.dtype == torch.bfloat16}
    linear = [(name, module) for name, module in network.named_modules() if type(module) in {nn.Linear, Conv1D}]
    layers = [name for name, module in linear if id(module.weight) in half]
    head = network.get_output_embeddings()
    packed = pack_linear_layers(network, torch.bfloat16, but=head)
    widened: list[tuple[nn.Module, str]] = []
    for module in network.modules():
        if type(module) is PackedLinear:
            continue
        named = [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
        for name, value in named:
            if value.dtype == torch.bfloat16:
                _convert(module, name, torch.float32)
                widened.append((module, name))
    return HalfProducts(packed + pack_linear_layers(network), layers, widened)


def rounding_of(network: Network) -> torch.dtype:
    """The precision that a network's results are rounded to: bfloat16 if its products are, else that of its weights."""
    has_half = any(type(module) is PackedLinear and module.is_half for module in network.modules())
    return torch.bfloat16 if has_half else network.dtype


def _convert(module: nn.Module, name: str, dtype: torch.dtype) -> None:
    value: torch.Tensor = getattr(module, name)
    # Not replaced, so that tied weights stay tied.
    value.data = value.data.to(dtype)
