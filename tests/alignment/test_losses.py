"""Every loss term against plain loops over Python numbers, and its gradient against finite differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from phraseproof.alignment.losses import (
    IGNORED,
    bounded_negation,
    contrastive_kl,
    cross_entropy,
    jensen_shannon,
    kl_to_reference,
    mean_squared_states,
)

ROWS, T, V = 4, 3, 5
OTHERS = (1, 2, 3)

Rows = Sequence[Sequence[Sequence[float]]]


def logits(*shape: int, seed: int = 0) -> torch.Tensor:
    return 2 * torch.randn(*(shape or (ROWS, T, V)), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def ragged(rows: int = ROWS) -> torch.Tensor:
    """Rows of 3, 2, 3, 1 target tokens."""
    lengths = torch.tensor([3, 2, 3, 1])[:rows]
    return torch.arange(T) < lengths[:, None]


def softmax(row: Sequence[float]) -> list[float]:
    top = max(row)
    parts = [math.exp(value - top) for value in row]
    return [part / sum(parts) for part in parts]


def kl(first: Sequence[float], second: Sequence[float]) -> float:
    p, q = softmax(first), softmax(second)
    return sum(a * (math.log(a) - math.log(b)) for a, b in zip(p, q, strict=True))


def slow_kl(values: Rows, mask: Sequence[Sequence[bool]], rows: Sequence[int], reference: int) -> float:
    total = 0.0
    for row in rows:
        for step in range(len(values[0])):
            if mask[row][step] and mask[reference][step]:
                total += kl(values[row][step], values[reference][step])
    return total / len(rows)


# -------------------------------------------------------------------------------------------------------- cross-entropy


def test_cross_entropy_is_the_mean_over_rows_of_the_mean_over_tokens() -> None:
    values, mask = logits(), ragged()
    targets = torch.randint(V, (ROWS, T), generator=torch.Generator().manual_seed(1)).masked_fill(~mask, IGNORED)
    by_row: list[float] = []
    for row, tokens in zip(values.tolist(), targets.tolist(), strict=True):
        losses = [-math.log(softmax(step)[token]) for step, token in zip(row, tokens, strict=True) if token != IGNORED]
        by_row.append(sum(losses) / len(losses))
    expected = sum(by_row) / len(by_row)
    assert cross_entropy(values, targets).item() == pytest.approx(expected, abs=1e-12)
    by_token = torch.nn.functional.cross_entropy(values.flatten(0, 1), targets.flatten(), ignore_index=IGNORED)
    assert by_token.item() != pytest.approx(expected, abs=1e-3), "rows weigh the same, not tokens"


def test_cross_entropy_of_rows_of_one_target_is_torchs() -> None:
    values = logits()
    targets = torch.tensor([[2, 0, 4]] * ROWS)
    expected = torch.nn.functional.cross_entropy(values.flatten(0, 1), targets.flatten())
    torch.testing.assert_close(cross_entropy(values, targets), expected)


# ------------------------------------------------------------------------------------------------------------------- KL


@pytest.mark.parametrize("reference", [0, 2])
def test_kl_is_the_papers_sum(reference: int) -> None:
    values, mask = logits(), ragged()
    rows = [row for row in range(ROWS) if row != reference]
    found = kl_to_reference(values, mask, rows=rows, reference=reference)
    assert found.item() == pytest.approx(slow_kl(values.tolist(), mask.tolist(), rows, reference), abs=1e-12)


def test_kl_runs_from_the_paraphrase_to_the_reference() -> None:
    """KL(paraphrase || reference), worked by hand: a sure paraphrase and an unsure reference; swapped it is another."""
    paraphrase, reference = [0.9, 0.1], [0.5, 0.5]
    values = torch.tensor([[reference], [paraphrase]], dtype=torch.float64).log()
    mask = torch.ones(2, 1, dtype=torch.bool)
    right = 0.9 * math.log(0.9 / 0.5) + 0.1 * math.log(0.1 / 0.5)
    swapped = 0.5 * math.log(0.5 / 0.9) + 0.5 * math.log(0.5 / 0.1)
    assert right == pytest.approx(0.368064, abs=1e-6)
    assert swapped == pytest.approx(0.510826, abs=1e-6)
    assert kl_to_reference(values, mask, rows=[1]).item() == pytest.approx(right, abs=1e-12)
    assert bounded_negation(values, mask, rows=[1], bound=None).item() == pytest.approx(right, abs=1e-12)
    assert kl_to_reference(values, mask, rows=[0], reference=1).item() == pytest.approx(swapped, abs=1e-12)


def test_kl_sums_over_tokens_and_averages_over_wordings() -> None:
    one = logits(2, 1, V)
    longer = one.repeat(1, 3, 1)
    more = torch.cat([one, one[1:], one[1:]])

    def of(values: torch.Tensor) -> float:
        mask = torch.ones(values.shape[:2], dtype=torch.bool)
        return kl_to_reference(values, mask, rows=range(1, len(values))).item()

    assert of(longer) == pytest.approx(3 * of(one))
    assert of(more) == pytest.approx(of(one))


@given(seed=st.integers(0, 10_000), scale=st.floats(0.0, 30.0), shift=st.floats(-50.0, 50.0))
@settings(max_examples=50)
def test_kl_is_never_negative_and_logits_have_no_zero_point(seed: int, scale: float, shift: float) -> None:
    values = scale * logits(seed=seed)
    mask = torch.ones(ROWS, T, dtype=torch.bool)
    found = kl_to_reference(values, mask, rows=OTHERS)
    assert found >= -1e-12
    torch.testing.assert_close(kl_to_reference(values + shift, mask, rows=OTHERS), found, atol=1e-9, rtol=1e-9)
    assert kl_to_reference(values[:1].expand(ROWS, -1, -1), mask, rows=OTHERS).abs() < 1e-12


# ---------------------------------------------------------------------------------------------------------- contrastive


def slow_contrast(values: Rows, mask: Rows, other: Any, other_mask: Any, bound: float | None) -> float:
    total = 0.0
    for row in OTHERS:
        for step in range(T):
            if mask[row][step] and mask[0][step]:
                total += kl(values[row][step], values[0][step])
            if step < len(other) and mask[row][step] and other_mask[step]:
                pushed = kl(values[row][step], other[step])
                total -= pushed if bound is None else bound * (1 - math.exp(-pushed / bound))
    return total / len(OTHERS)


@pytest.mark.parametrize("bound", [None, 0.7])
@pytest.mark.parametrize("length", [2, 3, 4])
def test_contrast_pulls_to_the_own_reference_and_pushes_from_the_other(length: int, bound: float | None) -> None:
    values, mask = logits(), ragged()
    other, other_mask = logits(length, V, seed=1), torch.arange(length) < length - 1
    found = contrastive_kl(values, mask, other, other_mask, rows=OTHERS, bound=bound).item()
    expected = slow_contrast(values.tolist(), mask.tolist(), other.tolist(), other_mask.tolist(), bound)
    assert found == pytest.approx(expected, abs=1e-12)


def test_as_printed_the_contrast_is_linear_in_the_paraphrases_distribution() -> None:
    """What its docstring warns of: the entropies cancel, so that its lowest point is a corner."""
    reference, other = logits(1, 1, V), logits(1, V, seed=1)
    ones = torch.ones(2, 1, dtype=torch.bool)

    def of(distribution: torch.Tensor) -> float:
        values = torch.cat([reference, distribution.log()[None, None]])
        return contrastive_kl(values, ones, other, ones[0], rows=[1]).item()

    first, second = logits(V, seed=2).softmax(0), logits(V, seed=3).softmax(0)
    assert of(0.3 * first + 0.7 * second) == pytest.approx(0.3 * of(first) + 0.7 * of(second), abs=1e-12)


# ------------------------------------------------------------------------------------------------------------- negation


@given(seed=st.integers(0, 10_000), scale=st.floats(0.0, 100.0), bound=st.floats(0.05, 5.0))
@settings(max_examples=50)
def test_negation_is_bounded(seed: int, scale: float, bound: float) -> None:
    values = scale * logits(seed=seed)
    mask = ragged()
    found = bounded_negation(values, mask, rows=OTHERS, bound=bound).item()
    free = bounded_negation(values, mask, rows=OTHERS, bound=None).item()
    assert -1e-12 <= found <= min(free, bound * T) + 1e-9
    assert free == pytest.approx(kl_to_reference(values, mask, rows=OTHERS).item())


def test_negation_is_the_bounded_sum() -> None:
    values, mask, bound = logits().tolist(), ragged().tolist(), 0.8
    total = 0.0
    for row in OTHERS:
        for step in range(T):
            if mask[row][step]:
                total += bound * (1 - math.exp(-kl(values[row][step], values[0][step]) / bound))
    found = bounded_negation(logits(), ragged(), rows=OTHERS, bound=bound)
    assert found.item() == pytest.approx(total / 3, abs=1e-12)


def test_a_small_distance_is_almost_the_kl_and_a_large_one_stops_pushing() -> None:
    mask = torch.ones(2, 1, dtype=torch.bool)
    base = torch.zeros(1, 1, V, dtype=torch.float64)
    near = torch.cat([base, base + torch.tensor([0.02, 0, 0, 0, 0])])
    free = kl_to_reference(near, mask, rows=[1]).item()
    assert bounded_negation(near, mask, rows=[1]).item() == pytest.approx(free, rel=1e-3)
    far = torch.cat([base, base + torch.tensor([40.0, 0, 0, 0, 0])]).log_softmax(-1)
    sure = far.flip(-1)[1:]
    opposite = torch.cat([far[1:], sure]).requires_grad_()
    bounded_negation(opposite, mask, rows=[1]).backward()
    assert opposite.grad is not None
    assert opposite.grad.abs().max() < 1e-12


# ------------------------------------------------------------------------------------------------------------------ MSE


def test_mse_of_states() -> None:
    states = logits(3, 2, 4)
    values = states.tolist()
    total = 0.0
    for row in (1, 2):
        squares = [(values[row][n][d] - values[0][n][d]) ** 2 for n in range(2) for d in range(4)]
        total += sum(squares) / len(squares)
    assert mean_squared_states(states, rows=[1, 2]).item() == pytest.approx(total / 2, abs=1e-12)


# ------------------------------------------------------------------------------------------------------------ gradients

Term = Callable[[torch.Tensor, bool], torch.Tensor]

TERMS: dict[str, Term] = {
    "kl": lambda values, detach: kl_to_reference(values, ragged(), rows=OTHERS, detach_reference=detach),
    "contrast": lambda values, detach: contrastive_kl(
        values[:ROWS], ragged(), values[ROWS, :2], ragged()[0, :2], rows=OTHERS, detach_reference=detach
    ),
    "bounded contrast": lambda values, detach: contrastive_kl(
        values[:ROWS], ragged(), values[ROWS], ragged()[2], rows=OTHERS, detach_reference=detach, bound=0.5
    ),
    "negation": lambda values, detach: bounded_negation(values, ragged(), rows=OTHERS, detach_reference=detach),
    "mse": lambda values, detach: mean_squared_states(values, rows=OTHERS, detach_reference=detach),
}


@pytest.mark.parametrize("name", TERMS)
def test_gradients_through_both_sides(name: str) -> None:
    values = logits(ROWS + 1, T, V).requires_grad_()
    assert torch.autograd.gradcheck(lambda each: TERMS[name](each, False), (values,))


@pytest.mark.parametrize("name", TERMS)
def test_gradients_with_the_reference_held_fixed(name: str) -> None:
    """Detached, the references' values count and their gradients do not: as if they were constants."""
    values = logits(ROWS + 1, T, V)
    first, last = values[:1], values[ROWS:]
    paraphrases = values[1:ROWS].clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda each: TERMS[name](torch.cat([first, each, last]), True), (paraphrases,))
    whole = values.clone().requires_grad_()
    free = TERMS[name](whole, True)
    free.backward()
    assert whole.grad is not None
    assert whole.grad[0].abs().max() == 0
    assert whole.grad[ROWS].abs().max() == 0
    assert whole.grad[1:ROWS].abs().max() > 0
    torch.testing.assert_close(free.detach(), TERMS[name](values, False))


def test_gradient_of_the_cross_entropy() -> None:
    targets = torch.tensor([[1, 0, 4], [1, 0, IGNORED], [1, 0, 4], [3, IGNORED, IGNORED]])
    assert torch.autograd.gradcheck(lambda each: cross_entropy(each, targets), (logits().requires_grad_(),))


@pytest.mark.parametrize("name", [name for name in TERMS if name != "mse"])
@pytest.mark.parametrize("junk", [math.nan, math.inf, 1e30])
def test_padding_counts_neither_in_values_nor_in_gradients(name: str, junk: float) -> None:
    mask = torch.cat([ragged(), ragged()[2:3]])
    clean = logits(ROWS + 1, T, V)
    dirty = clean.masked_fill(~mask[..., None], junk).requires_grad_()
    found = TERMS[name](dirty, False)
    torch.testing.assert_close(found.detach(), TERMS[name](clean, False))
    found.backward()
    assert dirty.grad is not None
    assert dirty.grad.isfinite().all()
    assert (dirty.grad[~mask] == 0).all()


def test_padding_does_not_count_in_the_cross_entropy() -> None:
    mask = ragged()
    targets = torch.ones(ROWS, T, dtype=torch.int64).masked_fill(~mask, IGNORED)
    dirty = logits().masked_fill(~mask[..., None], math.nan).requires_grad_()
    found = cross_entropy(dirty, targets)
    torch.testing.assert_close(found.detach(), cross_entropy(logits(), targets))
    found.backward()
    assert dirty.grad is not None
    assert dirty.grad.isfinite().all()


# ---------------------------------------------------------------------------------------------------------------- edges


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(dtype: torch.dtype) -> None:
    values = logits().to(dtype)
    mask = torch.ones(ROWS, T, dtype=torch.bool)
    found = kl_to_reference(values, mask, rows=OTHERS)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, kl_to_reference(values.float(), mask, rows=OTHERS))
    assert cross_entropy(values, torch.ones(ROWS, T, dtype=torch.int64)).dtype == torch.float32
    assert mean_squared_states(values, rows=OTHERS).dtype == torch.float32


@pytest.mark.parametrize("term", [kl_to_reference, bounded_negation])
def test_nothing_to_compare_is_not_a_loss_of_zero(term: Callable[..., torch.Tensor]) -> None:
    with pytest.raises(ValueError, match="no wording"):
        term(logits(), ragged(), rows=[])
    with pytest.raises(ValueError, match="no wording"):
        contrastive_kl(logits(), ragged(), logits()[0], ragged()[0], rows=[])
    with pytest.raises(ValueError, match="no wording"):
        mean_squared_states(logits(), rows=[])


# ------------------------------------------------------------------------------------------------ directions, symmetry


def test_the_direction_of_the_divergence() -> None:
    values, mask = logits(), ragged()
    backwards = sum(
        kl(values[0, step].tolist(), values[row, step].tolist())
        for row in OTHERS
        for step in range(T)
        if mask[row, step] and mask[0, step]
    ) / len(OTHERS)
    printed = slow_kl(values.tolist(), mask.tolist(), OTHERS, 0)
    found = {
        direction: kl_to_reference(values, mask, rows=OTHERS, direction=direction).item()
        for direction in ("reverse", "forward", "symmetric")
    }
    assert found == pytest.approx({"reverse": printed, "forward": backwards, "symmetric": (printed + backwards) / 2})


def test_two_wordings_have_the_square_of_scipys_distance() -> None:
    values = logits(2, T, V)
    shares = [[softmax(row) for row in rows] for rows in values.tolist()]
    expected = sum(jensenshannon(one, other) ** 2 for one, other in zip(*shares, strict=True))
    mask = torch.ones(2, T, dtype=torch.bool)
    assert jensen_shannon(values, mask, rows=[0, 1]).item() == pytest.approx(expected, abs=1e-12)


def test_more_wordings_are_compared_with_their_mean() -> None:
    values, mask = logits(), ragged()
    expected = 0.0
    for step in (step for step in range(T) if mask[:, step].all()):
        shares = [softmax(values[row, step].tolist()) for row in range(ROWS)]
        mean = [sum(column) / ROWS for column in zip(*shares, strict=True)]
        expected += sum(p * math.log(p / m) for row in shares for p, m in zip(row, mean, strict=True)) / ROWS
    found = jensen_shannon(values, mask, rows=range(ROWS))
    assert found.item() == pytest.approx(expected, abs=1e-12)
    shuffled = jensen_shannon(values[[2, 0, 3, 1]], mask[[2, 0, 3, 1]], rows=range(ROWS))
    torch.testing.assert_close(found, shuffled)
    same = values[:1].expand(ROWS, T, V)
    assert jensen_shannon(same, mask, rows=range(ROWS)).item() == pytest.approx(0, abs=1e-12)


def test_every_wording_moves_and_padding_does_not() -> None:
    values, mask = logits().requires_grad_(), ragged()
    assert torch.autograd.gradcheck(lambda given: jensen_shannon(given, mask, rows=range(ROWS)), (values,))
    (gradient,) = torch.autograd.grad(jensen_shannon(values, mask, rows=range(ROWS)), values)
    moved = gradient.abs().sum(dim=-1) > 0
    assert moved[:, 0].all()
    assert not moved[:, 1:].any()
    with pytest.raises(ValueError, match="no two wordings"):
        jensen_shannon(values, mask, rows=[0])
