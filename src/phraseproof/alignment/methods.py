"""The alignment methods by name. Importing this module does not import torch.

A loss is one entry of `_OF_SOFT_PROMPTS`, and a method is a loss with what is trained. Other packages
add methods through the entry-point group `phraseproof.alignment_methods`, whose entries are `Method` objects.
"""

from __future__ import annotations

from collections.abc import Mapping

from phraseproof.alignment.method import GroupOutput, LossSettings, Method, Objective, Trained
from phraseproof.alignment.objectives import (
    cross_entropy_alone,
    encoder_mse,
    kl_and_pushed_negations,
    pushed_negations,
    with_choice,
    with_contrast,
    with_jensen_shannon,
    with_kl,
    with_majority,
    with_swarm,
)
from phraseproof.installed import entry_points

__all__ = [
    "ENTRY_POINTS",
    "METHODS",
    "GroupOutput",
    "LossSettings",
    "Method",
    "Objective",
    "known_methods",
]

ENTRY_POINTS = "phraseproof.alignment_methods"
"""The entry-point group through which an installed package adds methods: name -> `Method`."""

_OF_SOFT_PROMPTS = (
    Method(
        "pt+kl",
        "prompt",
        "cross-entropy, and paraphrases pulled towards the reference (the paper)",
        with_kl,
        True,
        has_consistency=True,
    ),
    Method("pt", "prompt", "cross-entropy alone", cross_entropy_alone),
    Method(
        "pt+contrastive",
        "prompt",
        "like pt+kl, and paraphrases pushed away from another task's reference",
        with_contrast,
        True,
        references_per_batch=2,
        has_consistency=True,
    ),
    Method(
        "pt+js",
        "prompt",
        "cross-entropy, and all wordings pulled together, without a reference (Jensen-Shannon)",
        with_jensen_shannon,
        True,
        has_consistency=True,
        is_symmetric=True,
    ),
    Method(
        "pt+majority",
        "prompt",
        "cross-entropy, and all wordings trained on the option that most of them choose (F2C)",
        with_majority,
        True,
        has_consistency=True,
        is_symmetric=True,
        needs_options=True,
    ),
    Method(
        "pt+swarm",
        "prompt",
        "cross-entropy, and every wording taught by every other one (swarm distillation)",
        with_swarm,
        True,
        has_consistency=True,
        is_symmetric=True,
        needs_options=True,
        stops_on="kappa",
    ),
    Method(
        "pt+choice",
        "prompt",
        "cross-entropy, and the right option made more probable than the other options",
        with_choice,
        needs_options=True,
    ),
    Method(
        "paft", "prompt", "cross-entropy of one wording, drawn per step (PAFT)", cross_entropy_alone, draws_one=True
    ),
    Method(
        "paft+choice",
        "prompt",
        "like pt+choice, with one wording, drawn per step",
        with_choice,
        needs_options=True,
        draws_one=True,
    ),
    Method(
        "negation",
        "prompt",
        "cross-entropy, and negations pushed away from the reference",
        pushed_negations,
        True,
        needs_negations=True,
        uses_paraphrases=False,
    ),
    Method(
        "joint",
        "prompt",
        "paraphrases pulled towards the reference, negations pushed away",
        kl_and_pushed_negations,
        True,
        needs_negations=True,
    ),
    Method(
        "mse",
        "prompt",
        "encoder states at the soft prompt made equal (encoder-decoder only)",
        encoder_mse,
        needs_encoder_states=True,
    ),
)
"""The losses, as methods that train a soft prompt. `METHODS` combines them with everything else that can be trained."""

_OTHERS: tuple[Trained, ...] = ("lora", "dora", "weights")

METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (
        *_OF_SOFT_PROMPTS,
        *(
            method.training(trains)
            for trains in _OTHERS
            for method in _OF_SOFT_PROMPTS
            if not method.needs_encoder_states
        ),
    )
}
"""Every loss with everything that can be trained: `pt+kl`, `lora+kl`, `dora+kl` and `ft+kl` have one loss."""


def known_methods() -> dict[str, Method]:
    """All methods by name: ours and those of installed packages."""
    return {**METHODS, **{entry.name: entry.load() for entry in entry_points(group=ENTRY_POINTS)}}
