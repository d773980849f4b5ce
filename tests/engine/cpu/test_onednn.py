"""Products by oneDNN against float64, as weights lie and transposed, and torch's own where there are none."""

from __future__ import annotations

from collections.abc import Generator

import pytest
import torch
from torch import Tensor

from phraseproof.engine.cpu import onednn
from phraseproof.engine.cpu.onednn import fastest_product, frozen_linear, has_products

needs_onednn = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="torch without oneDNN")


def near(found: Tensor, expected: Tensor) -> bool:
    """Within float32's rounding of sums of some hundred terms."""
    return torch.allclose(found.double(), expected, rtol=1e-4, atol=1e-4)


@needs_onednn
@pytest.mark.parametrize("shape", [(1, 96), (7, 96), (2, 3, 96), (1, 0, 96)])
@pytest.mark.parametrize("transposed", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_products_and_gradients_are_those_in_float64(shape: tuple[int, ...], transposed: bool, bias: bool) -> None:
    assert has_products()
    weight = torch.randn(96, 160).t() if transposed else torch.randn(160, 96)
    added = torch.randn(160) if bias else None
    x = torch.randn(shape, requires_grad=True)
    upstream = torch.randn(*shape[:-1], 160)
    found = frozen_linear(x, weight, added)
    exact = x.detach().double().requires_grad_()
    expected = exact @ weight.double().t() + (0 if added is None else added.double())
    assert near(found, expected)
    (gradient,) = torch.autograd.grad(found, x, upstream)
    (wanted,) = torch.autograd.grad(expected, exact, upstream.double())
    assert near(gradient, wanted)


@needs_onednn
def test_what_lies_across_in_memory_is_read_as_it_is_meant() -> None:
    x, weight = torch.randn(5, 2, 96).transpose(0, 1), torch.randn(160, 96)
    assert near(fastest_product(x, weight, None), x.double() @ weight.double().t())


@pytest.mark.parametrize("transposed", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_float32_with_bfloat16_weights_rounds_the_factors_and_the_sum(transposed: bool, bias: bool) -> None:
    weight = (torch.randn(96, 160).t() if transposed else torch.randn(160, 96)).bfloat16()
    added = torch.randn(160).bfloat16() if bias else None
    x = torch.randn(2, 7, 96, requires_grad=True)
    upstream = torch.randn(2, 7, 160)
    found = frozen_linear(x, weight, added)
    assert found.dtype == torch.float32
    rounded = x.detach().bfloat16().double()
    expected = rounded @ weight.double().t() + (0 if added is None else added.double())
    assert torch.allclose(found.double(), expected, rtol=2**-8, atol=2**-8 * float(expected.abs().max()))
    (gradient,) = torch.autograd.grad(found, x, upstream)
    wanted = upstream.bfloat16().double() @ weight.double()
    assert gradient.dtype == torch.float32
    assert torch.allclose(gradient.double(), wanted, rtol=2**-8, atol=2**-8 * float(wanted.abs().max()))


def test_other_types_are_left_to_torch() -> None:
    x, weight = torch.randn(5, 96, dtype=torch.float64), torch.randn(160, 96, dtype=torch.float64)
    assert torch.equal(fastest_product(x, weight, None), torch.nn.functional.linear(x, weight))


@pytest.fixture
def without_operators(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    def missing(_: str) -> None:
        raise AttributeError

    monkeypatch.setattr(onednn, "operator", missing)
    has_products.cache_clear()
    yield
    has_products.cache_clear()


@pytest.mark.usefixtures("without_operators")
def test_a_torch_without_them_multiplies_as_ever() -> None:
    assert not has_products()
    x, weight = torch.randn(5, 96, requires_grad=True), torch.randn(160, 96)
    found = frozen_linear(x, weight, None)
    assert torch.equal(found, torch.nn.functional.linear(x, weight))
    found.sum().backward()
    assert x.grad is not None
    assert torch.allclose(x.grad, weight.sum(0).expand(5, -1), atol=1e-4)
