"""The losses of the alignment methods, made of the terms in `losses.py`. Importing this does not import torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from phraseproof.alignment.method import GroupOutput, LossSettings, LossTerms

if TYPE_CHECKING:
    from torch import Tensor


def cross_entropy_alone(outputs: Sequence[GroupOutput], settings: LossSettings) -> LossTerms:
    """L = L_CE."""
    ce = _mean([_cross_entropy(group, settings) for group in outputs])
    return LossTerms(ce, ce.detach())


def with_kl(outputs: Sequence[GroupOutput], settings: LossSettings) -> LossTerms:
    """L = (1 - λ) L_CE + λ L_KL."""
    weight = settings.lambda_
    ce = _mean([_cross_entropy(group, settings) for group in outputs])
    kl = _mean([_kl(group, settings) for group in outputs])
    return LossTerms((1 - weight) * ce + weight * kl, ce.detach(), kl.detach())


def with_contrast(outputs: Sequence[GroupOutput], settings: LossSettings) -> LossTerms:
    """L = (1 - λ) L_CE + λ (KL to the own reference - bounded KL to the other task's reference)."""
    from phraseproof.alignment.losses import contrastive_kl

    weight = settings.lambda_
    contrasts: list[Tensor] = []
    for index, own in enumerate(outputs):
        other = outputs[index ^ 1]  # groups are paired: 0 with 1, 2 with 3
        contrasts.append(
            contrastive_kl(
                own.logits,
                own.mask,
                other.logits[0],
                other.mask[0],
                rows=own.paraphrase_rows,
                detach_reference=settings.detach_reference,
                bound=settings.push_bound,
            )
        )
    ce = _mean([_cross_entropy(group, settings) for group in outputs])
    contrast = _mean(contrasts)
    kl = _mean([_kl_for_the_log(group) for group in outputs])
    return LossTerms((1 - weight) * ce + weight * contrast, ce.detach(), kl, contrast.detach())


def encoder_mse(outputs: Sequence[GroupOutput], settings: LossSettings) -> LossTerms:
    """L = the MSE alone, as printed, without L_CE and λ."""
    from phraseproof.alignment.losses import mean_squared_states

    distances: list[Tensor] = []
    for group in outputs:
        if group.prefix_states is None:
            raise ValueError("mse needs the encoder's states at the soft prompt's positions")
        distances.append(
            mean_squared_states(
                group.prefix_states, rows=group.paraphrase_rows, detach_reference=settings.detach_reference
            )
        )
    distance = _mean(distances)
    ce = _mean([_cross_entropy(group, settings) for group in outputs]).detach()
    return LossTerms(distance, ce, None, distance.detach())


def pushed_negations(outputs: Sequence[GroupOutput], settings: LossSettings) -> LossTerms:
    """L = (1 + λ) L_CE - λ D, where D is the bounded distance of negations from the reference."""
    weight = settings.lambda_
    ce = _mean([_cross_entropy(group, settings) for group in outputs])
    distance = _mean([_distance(group, settings) for group in outputs])
    return LossTerms((1 + weight) * ce - weight * distance, ce.detach(), None, distance.detach())


def kl_and_pushed_negations(outputs: Sequence[GroupOutput], settings: LossSettings) -> LossTerms:
    """The mean of the losses of pt+kl and negation: L = L_CE + λ/2 (L_KL - D)."""
    weight = settings.lambda_
    ce = _mean([_cross_entropy(group, settings) for group in outputs])
    kl = _mean([_kl(group, settings) for group in outputs])
    distance = _mean([_distance(group, settings) for group in outputs])
    return LossTerms(ce + weight / 2 * (kl - distance), ce.detach(), kl.detach(), distance.detach())


def _cross_entropy(group: GroupOutput, settings: LossSettings) -> Tensor:
    """The cross-entropy over the reference and its paraphrases, not over negations: the target is not their answer."""
    from phraseproof.alignment.losses import cross_entropy

    first = 0 if settings.reference_in_ce or not group.paraphrases else 1
    rows = slice(first, 1 + group.paraphrases)
    return cross_entropy(group.logits[rows], group.targets[rows])


def _kl(group: GroupOutput, settings: LossSettings) -> Tensor:
    from phraseproof.alignment.losses import kl_to_reference

    return kl_to_reference(
        group.logits, group.mask, rows=group.paraphrase_rows, detach_reference=settings.detach_reference
    )


def _kl_for_the_log(group: GroupOutput) -> Tensor:
    from phraseproof.alignment.losses import kl_to_reference

    return kl_to_reference(group.logits.detach(), group.mask, rows=group.paraphrase_rows)


def _distance(group: GroupOutput, settings: LossSettings) -> Tensor:
    from phraseproof.alignment.losses import bounded_negation

    return bounded_negation(
        group.logits,
        group.mask,
        rows=group.negation_rows,
        detach_reference=settings.detach_reference,
        bound=settings.push_bound,
    )


def _mean(values: Sequence[Tensor]) -> Tensor:
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total / len(values)
