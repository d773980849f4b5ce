"""The priors of all wordings as fitted to some examples, and the effects on accuracy that follow from them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from phraseproof.analysis.causes.counterfactual import Effects, Evidence, effects
from phraseproof.analysis.causes.prior_errors import Moves, moved_effects
from phraseproof.analysis.causes.priors import (
    Form,
    evidence_noise,
    fitted_examples,
    noise_scales,
    option_priors,
    prior_influences,
    row_priors,
)
from phraseproof.analysis.causes.rows import Singles
from phraseproof.analysis.grids import Floats, Ints
from phraseproof.analysis.option_values import OptionValues, scores


class Fit(NamedTuple):
    """Priors that are fitted to blocks of examples.

    Attributes:
        of: all examples.
        logprobs: [R, E, C] finite where there is an option.
        forms: of the rows.
        blocks: the examples of each of G blocks.
        chosen: the examples that the priors are estimated from, as places in all blocks joined.
        priors: for each form [its rows, K].
    """

    of: OptionValues
    logprobs: Floats
    forms: list[Form]
    blocks: list[Ints]
    chosen: Ints
    priors: list[Floats]

    @classmethod
    def to(
        cls, of: OptionValues, logprobs: Floats, forms: list[Form], blocks: list[Ints], rng: np.random.Generator
    ) -> Fit:
        """Fit the priors.

        Args:
            of, logprobs, forms, blocks: as the attributes.
            rng: chooses examples where there are many.
        """
        examples = np.concatenate(blocks)
        chosen = fitted_examples(np.arange(len(examples)), rng)
        return cls(of, logprobs, forms, blocks, chosen, row_priors(logprobs, of.credits, forms, examples[chosen]))

    def scores_without_prior(self, examples: Ints) -> Floats:
        """[R] the summed scores of the answers without the prior."""
        left = self.of.take_examples(examples)
        return scores(self.logprobs[:, examples] - self._added(examples), left).sum(axis=1)

    def effects(self, reference: Ints, rng: np.random.Generator) -> Effects:
        """The effects of prior and skill, summed over each block.

        A block's sum includes by how much the block moves the priors and noises, and with them the sums of all blocks:
        its influence on the estimate is whole. These parts have sum 0 over the blocks.

        Args:
            reference: as for `counterfactual.effects`.
            rng: chooses examples where there are many.
        """
        examples = np.concatenate(self.blocks)
        has_option, credit = self.of.has_option[examples], self.of.credits[examples]
        added = self._added(examples)
        free = (self.logprobs[:, examples] - added).astype(np.float32)
        noise = evidence_noise(free, has_option, credit)
        scales = noise_scales(noise, has_option)
        evidence = self._evidence(examples, free, added, scales)
        found = effects(evidence, reference)
        moved = moved_effects(
            evidence.take(self.chosen),
            [Form(form.rows, form.classes[examples[self.chosen]], form.num_classes) for form in self.forms],
            [of_rows / scales[form.rows, None] for form, of_rows in zip(self.forms, self.priors, strict=True)],
            Moves(self._prior_moves(scales), _scale_moves(noise, has_option, evidence.starts)),
            reference,
            rng,
        )
        return Effects(found.skill + len(examples) * moved.skill, found.prior + len(examples) * moved.prior)

    def _added(self, examples: Ints) -> Singles:
        """[R, E', C] the priors of the options of some examples."""
        forms = [Form(form.rows, form.classes[examples], form.num_classes) for form in self.forms]
        rows, _, options = self.logprobs.shape
        return option_priors(self.priors, forms, (rows, len(examples), options))

    def _evidence(self, examples: Ints, free: Singles, added: Singles, scales: Floats) -> Evidence:
        unit = scales.astype(np.float32)[:, None, None]
        values = np.where(self.of.has_option, self.of.values, -np.inf)[:, examples]
        return Evidence(
            np.ascontiguousarray((free / unit).transpose(2, 0, 1)),
            np.ascontiguousarray((added / unit).astype(np.float32).transpose(2, 0, 1)),
            np.ascontiguousarray(self.of.credits[examples].T.astype(np.float32)),
            (~np.isneginf(values.max(axis=-1))).astype(np.float32),
            np.concatenate([[0], np.cumsum([len(block) for block in self.blocks])[:-1]]),
        )

    def _prior_moves(self, scales: Floats) -> list[Floats]:
        block_of = np.repeat(np.arange(len(self.blocks)), [len(block) for block in self.blocks])[self.chosen]
        examples = np.concatenate(self.blocks)[self.chosen]
        found = prior_influences(
            self.logprobs, self.of.credits, self.forms, examples, self.priors, block_of, len(self.blocks)
        )
        return [moved / scales[form.rows, None] for form, moved in zip(self.forms, found, strict=True)]


def _scale_moves(noise: Floats, has_option: np.ndarray, starts: Ints) -> Floats:
    """[G, R] how the log of a row's noise changes for each time more that a block counts; its priors are kept."""
    number = np.add.reduceat(has_option.sum(axis=1), starts)[:, None] / has_option.sum()
    total = np.maximum(noise.sum(axis=1), 1e-12)
    return np.add.reduceat(noise.T, starts, axis=0) / total - number
