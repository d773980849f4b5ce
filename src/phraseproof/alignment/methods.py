"""The alignment methods by name. Importing this module does not import torch.

A method is one entry of `METHODS`. Other packages add methods through the entry-point group
`phraseproof.alignment_methods`, whose entries are `Method` objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points

from phraseproof.alignment.method import GroupOutput, LossSettings, LossTerms, Method, Objective
from phraseproof.alignment.objectives import (
    cross_entropy_alone,
    encoder_mse,
    kl_and_pushed_negations,
    pushed_negations,
    with_contrast,
    with_kl,
)

__all__ = [
    "ENTRY_POINTS",
    "METHODS",
    "GroupOutput",
    "LossSettings",
    "LossTerms",
    "Method",
    "Objective",
    "known_methods",
]

ENTRY_POINTS = "phraseproof.alignment_methods"
"""The entry-point group through which an installed package adds methods: name -> `Method`."""

METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (
        Method(
            "pt+kl", "prompt", "cross-entropy, and paraphrases pulled towards the reference (the paper)", with_kl, True
        ),
        Method("pt", "prompt", "cross-entropy alone", cross_entropy_alone),
        Method("ft", "weights", "cross-entropy alone, all weights", cross_entropy_alone),
        Method("ft+kl", "weights", "like pt+kl, all weights", with_kl, True),
        Method(
            "pt+contrastive",
            "prompt",
            "like pt+kl, and paraphrases pushed away from another task's reference",
            with_contrast,
            True,
            references_per_batch=2,
        ),
        Method(
            "ft+contrastive", "weights", "like pt+contrastive, all weights", with_contrast, True, references_per_batch=2
        ),
        Method(
            "mse",
            "prompt",
            "encoder states at the soft prompt made equal (encoder-decoder only)",
            encoder_mse,
            needs_encoder_states=True,
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
    )
}


def known_methods() -> dict[str, Method]:
    """All methods by name: ours and those of installed packages."""
    return {**METHODS, **{entry.name: entry.load() for entry in entry_points(group=ENTRY_POINTS)}}
