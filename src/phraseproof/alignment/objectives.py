"""The losses of the alignment methods, made of the terms in `losses.py`. Importing this does not import torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from phraseproof.alignment.method import GroupOutput, LossSettings, OptionOutput
from phraseproof.training.loss_terms import LossTerms

if TYPE_CHECKING:
    from torch import Tensor


LARGEST_SCALE = 100.0
"""The most that balancing multiplies a consistency term by: where wordings agree, its gradient vanishes."""


def cross_entropy_alone(outputs: Sequence[GroupOutput], settings: LossSettings) -> LossTerms:
    """L = L_CE."""
    ce = _mean([_cross_entropy(group, settings) for group in outputs])
    return LossTerms(ce, ce.detach())


def with_kl(outputs: Sequence[GroupOutput], settings: LossSettings) -> LossTerms:
    """L = (1 - λ) L_CE + λ L_KL."""
    kl = _mean([_kl(group, settings) for group in outputs])
    return _with_consistency(outputs, settings, kl, is_kl=True)


def with_jensen_shannon(outputs: Sequence[GroupOutput], settings: LossSettings) -> LossTerms:
    """L = (1 - λ) L_CE + λ JS, the Jensen-Shannon divergence of all wordings: no wording is the reference."""
    from phraseproof.alignment.losses import jensen_shannon

    return _with_consistency(
        outputs,
        settings,
        _mean([jensen_shannon(group.logits, group.mask, rows=range(1 + group.paraphrases)) for group in outputs]),
    )


def with_majority(outputs: Sequence[GroupOutput], settings: LossSettings) -> LossTerms:
    """L = (1 - λ) L_CE + λ CE with the option that most of the batch's wordings choose now (F2C, arXiv 2510.14242)."""
    from phraseproof.alignment.option_losses import majority_option, soft_cross_entropy, token_logprobs

    terms: list[Tensor] = []
    for group in outputs:
        options = _options(group)
        logprobs = token_logprobs(options.logits, options.targets)
        scores = logprobs.masked_fill(~options.scored, 0).sum(dim=-1)
        chosen = logprobs.new_zeros(logprobs.shape[1])
        chosen[majority_option(scores)] = 1
        ignored = options.targets.masked_fill(~options.scored, -100)
        terms.append(soft_cross_entropy(logprobs.masked_fill(~options.scored, 0), ignored, chosen))
    return _with_consistency(outputs, settings, _mean(terms))


def with_swarm(outputs: Sequence[GroupOutput], settings: LossSettings) -> LossTerms:
    """L = (1 - λ) L_CE + λ times the swarm distillation of the wordings' distributions over options."""
    from phraseproof.alignment.option_losses import swarm_distillation

    return _with_consistency(
        outputs, settings, _mean([swarm_distillation(option_scores(_options(group))) for group in outputs])
    )


def with_choice(outputs: Sequence[GroupOutput], settings: LossSettings) -> LossTerms:
    """L = (1 - λ) L_CE + λ times the cross-entropy of the choice among the options."""
    from phraseproof.alignment.option_losses import choice_loss

    terms: list[Tensor] = []
    for group in outputs:
        options = _options(group)
        scores = option_scores(options)
        weights = options.weights
        if weights is None:
            weights = scores.new_zeros(scores.shape[1])
            weights[options.target] = 1
        terms.append(choice_loss(scores[_answering_rows(group, settings)], weights))
    ce = _mean([_cross_entropy(group, settings) for group in outputs])
    choice = _mean(terms)
    total = (1 - settings.lambda_) * ce + settings.lambda_ * choice
    return LossTerms(total, ce.detach(), None, choice.detach())


def with_contrast(outputs: Sequence[GroupOutput], settings: LossSettings) -> LossTerms:
    """L = (1 - λ) L_CE + λ (KL to the own reference - bounded KL to the other task's reference)."""
    from phraseproof.alignment.losses import contrastive_kl

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
    return _with_consistency(outputs, settings, _mean(contrasts))


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


def option_scores(options: OptionOutput) -> Tensor:
    """[W, C] the log-probability of every option under every wording, as evaluations score it."""
    from phraseproof.alignment.option_losses import token_logprobs

    return token_logprobs(options.logits, options.targets).masked_fill(~options.scored, 0).sum(dim=-1)


def _with_consistency(
    outputs: Sequence[GroupOutput], settings: LossSettings, term: Tensor, *, is_kl: bool = False
) -> LossTerms:
    """L = (1 - λ) L_CE + λ s T. L_CE counts sets with a label only: it is the mean over all sets, 0 for the others.

    The scale s is 1. With `is_balanced` it is ||dL_CE/dz|| / ||dT/dz||, at most 100, for z the batch's logits, and
    a constant for the gradient: then (1 - λ) : λ is the ratio of the two gradients' lengths at the logits.
    """
    weight = settings.lambda_
    by_group = [_cross_entropy(group, settings) for group in outputs]
    labelled = [ce for ce, group in zip(by_group, outputs, strict=True) if group.labelled]
    total = weight * term
    if labelled:
        label = _sum(labelled) / len(outputs)
        scale = _scale(outputs, label, term) if settings.is_balanced else 1.0
        total = (1 - weight) * label + weight * scale * term
    ce, value = _mean(by_group).detach(), term.detach()
    if is_kl:
        return LossTerms(total, ce, value)
    return LossTerms(total, ce, _mean([_kl_for_the_log(group) for group in outputs]), value)


def _scale(outputs: Sequence[GroupOutput], ce: Tensor, term: Tensor) -> float:
    """The ratio of the lengths of the two terms' gradients at the logits; 1 where there is no graph."""
    import torch

    places: list[Tensor] = []
    for group in outputs:
        places += [group.logits, *([group.options.logits] if group.options else [])]
    places = [place for place in places if place.requires_grad]
    if not places or not term.requires_grad or not ce.requires_grad:
        return 1.0
    lengths: list[Tensor] = []
    for each in (ce, term):
        found = cast(
            "tuple[Tensor | None, ...]", torch.autograd.grad(each, places, retain_graph=True, allow_unused=True)
        )
        squares = [gradient.double().square().sum() for gradient in found if gradient is not None]
        lengths.append(torch.stack(squares).sum().sqrt())
    own, other = (float(length) for length in lengths)
    return min(own / other, LARGEST_SCALE) if other else LARGEST_SCALE


def _options(group: GroupOutput) -> OptionOutput:
    if group.options is None:
        raise ValueError("this loss needs the model's output for the options")
    return group.options


def _cross_entropy(group: GroupOutput, settings: LossSettings) -> Tensor:
    """The cross-entropy over the reference and its paraphrases, not over negations: the target is not their answer.

    With a teacher's distribution, all options are targets, weighted by it.
    """
    from phraseproof.alignment.losses import cross_entropy

    rows = _answering_rows(group, settings)
    options = group.options
    if options is not None and options.weights is not None and group.labelled:
        from phraseproof.alignment.option_losses import soft_cross_entropy, token_logprobs

        targets = options.targets[rows]
        return soft_cross_entropy(token_logprobs(options.logits[rows], targets), targets, options.weights)
    return cross_entropy(group.logits[rows], group.targets[rows])


def _answering_rows(group: GroupOutput, settings: LossSettings) -> slice:
    """The rows whose answer is the target: the paraphrases, and the reference unless it is left out."""
    first = 0 if settings.reference_in_ce or not group.paraphrases else 1
    return slice(first, 1 + group.paraphrases)


def _kl(group: GroupOutput, settings: LossSettings) -> Tensor:
    from phraseproof.alignment.losses import kl_to_reference

    return kl_to_reference(
        group.logits,
        group.mask,
        rows=group.paraphrase_rows,
        detach_reference=settings.detach_reference,
        direction=settings.kl_direction,
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
    return _sum(values) / len(values)


def _sum(values: Sequence[Tensor]) -> Tensor:
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total
