"""The evaluation of a model on held-out paraphrase sets, between steps of its training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from phraseproof.alignment.loop.agreement import fleiss_agreement
from phraseproof.alignment.loop.held_out import HeldOut
from phraseproof.alignment.losses import kl_to_reference
from phraseproof.alignment.objectives import option_scores

if TYPE_CHECKING:
    from phraseproof.alignment.loop.passes import Passes
    from phraseproof.alignment.loop.preparation import TokenizedSide
    from phraseproof.alignment.methods import Method
    from phraseproof.alignment.settings import AlignmentSettings
    from phraseproof.training.loss_terms import LossTerms


def evaluate_held_out(
    passes: Passes, side: TokenizedSide, method: Method, settings: AlignmentSettings
) -> HeldOut | None:
    """Evaluate the present weights on held-out sets; `None` if there are too few for a batch. No gradients.

    The order of batches is that of training, so the result depends on the weights and the seed alone.
    """
    if len(side.pairs) < method.references_per_batch:
        return None
    order = side.order(method, settings, with_paraphrases=True)
    terms: list[LossTerms] = []
    distances: list[torch.Tensor] = []
    correct: list[bool] = []
    reference_correct: list[bool] = []
    choices: list[list[int]] = []
    with torch.no_grad():
        batches = [order.batch(index) for index in range(order.batches_per_epoch)]
        for together in passes.join(side.tokens, batches):
            # References go through the same pass as the other rows: no row has a graph here.
            by_batch = passes.outputs(side.tokens, together, reference_needs_gradient=True)
            terms += [passes.loss(groups) for groups in by_batch]
            for group in (group for groups in by_batch for group in groups):
                distances.append(kl_to_reference(group.logits, group.mask, rows=group.paraphrase_rows))
                # Greedy decoding would write the target if every target token is the most likely one.
                hits = ((group.logits.argmax(dim=-1) == group.targets) | ~group.mask).all(dim=-1).tolist()
                reference_correct.append(hits[0])
                correct += hits[1 : 1 + group.paraphrases]
                if method.needs_options and group.options is not None:
                    choices.append(option_scores(group.options).argmax(dim=-1).tolist())
    losses = passes.mean(terms)
    return HeldOut(
        loss=losses.total,
        ce=losses.ce,
        kl=float(torch.stack(distances).mean()),
        accuracy=sum(correct) / len(correct),
        reference_accuracy=sum(reference_correct) / len(reference_correct),
        pairs=len(side.pairs),
        kappa=fleiss_agreement(choices) if method.needs_options else None,
    )
