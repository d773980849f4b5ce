"""The alignment methods by name: what each trains, what it needs, and its loss. Importing this does not import torch.

A method is one entry of `METHODS`. Another package adds one through the entry-point group
`phraseproof.alignment_methods`, whose entry is a `Method`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Literal, NamedTuple

from phraseproof.errors import ModelError, UsageError

if TYPE_CHECKING:
    from torch import Tensor

    from phraseproof.alignment.pairs import ParaphraseSet

ENTRY_POINTS = "phraseproof.alignment_methods"
"""The entry-point group through which an installed package adds methods: name -> `Method`."""


@dataclass(frozen=True, slots=True)
class LossSettings:
    """What can be set about a loss.

    Attributes:
        lambda_: the paper's λ, from 0 to 1; methods without a KL term have none.
        detach_reference: no gradient through the reference's side of a KL or MSE.
        push_bound: what is pushed apart gains at most so many nats a token; `None` is unbounded, as printed.
        reference_in_ce: the cross-entropy counts the reference wording too. Without it, and with `detach_reference`,
            the reference needs no graph at all (`Method.reference_needs_gradient`).
    """

    lambda_: float = 0.8
    detach_reference: bool = True
    push_bound: float | None = 1.0
    reference_in_ce: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.lambda_ <= 1:
            raise UsageError("λ is a weight", expected="a number from 0 to 1", got=str(self.lambda_), where="--lambda")
        if self.push_bound is not None and not self.push_bound > 0:
            raise UsageError(
                "the bound of what is pushed apart must be above zero", got=str(self.push_bound), where="--push-bound"
            )


class GroupOutput(NamedTuple):
    """What the network says of one pair's wordings: the reference, then its paraphrases, then its negations.

    Attributes:
        logits: [rows, T, V].
        targets: token ids [rows, T], -100 where there is none.
        mask: [rows, T], true at target tokens.
        paraphrases, negations: how many rows of each; rows = 1 + paraphrases + negations.
        prefix_states: the last encoder layer at the soft prompt's positions [rows, n, width], for `mse`.
    """

    logits: Tensor
    targets: Tensor
    mask: Tensor
    paraphrases: int
    negations: int = 0
    prefix_states: Tensor | None = None

    @property
    def paraphrase_rows(self) -> range:
        """The paraphrases' rows."""
        return range(1, 1 + self.paraphrases)

    @property
    def negation_rows(self) -> range:
        """The negations' rows."""
        return range(1 + self.paraphrases, 1 + self.paraphrases + self.negations)


class LossTerms(NamedTuple):
    """A loss, and what it is made of.

    Attributes:
        total: what is minimised, a scalar with its graph.
        ce: the cross-entropy (detached), also where it is not part of the total.
        kl: the KL of paraphrases to their reference (detached); `None` for methods that do not compute it.
        other: what else the total has, before its weight (detached): the contrast, the MSE, the negations' distance.
    """

    total: Tensor
    ce: Tensor
    kl: Tensor | None = None
    other: Tensor | None = None


Objective = Callable[[Sequence[GroupOutput], LossSettings], LossTerms]


@dataclass(frozen=True, slots=True)
class Method:
    """One way to align.

    Attributes:
        name: as users say it.
        trains: the soft prompt with the model frozen, or all the model's weights.
        summary: one line for people.
        objective: the loss of a batch.
        uses_kl: its total has a KL term.
        needs_negations: pairs need negated wordings.
        uses_paraphrases: paraphrases belong in a batch; without it a batch is references and negations alone.
        needs_encoder_states: it looks at the encoder's states at the soft prompt: encoder-decoder, placement `input`.
        references_per_batch: pairs that one loss compares; 2 must have references of different meaning.
    """

    name: str
    trains: Literal["prompt", "weights"]
    summary: str
    objective: Objective
    uses_kl: bool = False
    needs_negations: bool = False
    uses_paraphrases: bool = True
    needs_encoder_states: bool = False
    references_per_batch: int = 1

    def loss(self, outputs: Sequence[GroupOutput], settings: LossSettings = LossSettings()) -> LossTerms:
        """The loss of a batch, the mean over its groups.

        Args:
            outputs: groups, at least `references_per_batch`; with 2, neighbours are compared, and their number is even.

        Raises:
            ValueError: groups that the method cannot work with (see `check`, which says so before training).
        """
        if not outputs or len(outputs) % self.references_per_batch:
            raise ValueError(f"{self.name} takes groups by {self.references_per_batch}, not {len(outputs)}")
        return self.objective(outputs, settings)

    def reference_needs_gradient(self, settings: LossSettings) -> bool:
        """Whether the reference wording's own pass needs a graph."""
        if self.needs_encoder_states:
            return not settings.detach_reference
        return settings.reference_in_ce or not settings.detach_reference or not self.uses_paraphrases

    def check(self, pairs: Sequence[ParaphraseSet], *, is_encoder_decoder: bool, placement: str = "input") -> None:
        """Say before training what would make it fail.

        Raises:
            ModelError: the method cannot work with this family of models.
            UsageError: the pairs lack what the method needs, or the soft prompt is elsewhere than it looks.
        """
        if self.needs_encoder_states and not is_encoder_decoder:
            raise ModelError(
                f"the method {self.name} compares an encoder's states at the soft prompt; this model has no encoder",
                expected="an encoder-decoder model",
                got="a decoder-only one",
                where="--method",
                hint="Use --method pt+kl",
            )
        if self.needs_encoder_states and placement != "input":
            raise UsageError(
                f"the method {self.name} looks at the soft prompt among the encoder's inputs",
                expected="--placement input",
                got=placement,
                where="--placement",
            )
        if self.needs_negations:
            for number, pair in enumerate(pairs, start=1):
                if not pair.negations:
                    raise UsageError(
                        f"the method {self.name} needs negated wordings, and this pair has none",
                        where=pair.source or f"pair {number}",
                        hint="Give each pair a list 'negations'",
                    )
        if self.references_per_batch > 1 and len({pair.wording_key(pair.instruction) for pair in pairs}) < 2:
            raise UsageError(
                f"the method {self.name} pushes different tasks' wordings apart, and all pairs have one reference",
                expected="pairs with at least two different instructions",
                where="--method",
            )


def known_methods() -> dict[str, Method]:
    """Our methods, and those of installed packages."""
    return {**METHODS, **{entry.name: entry.load() for entry in entry_points(group=ENTRY_POINTS)}}


# ------------------------------------------------------------------------------------------------------- the objectives


def _plain(outputs: Sequence[GroupOutput], settings: LossSettings) -> LossTerms:
    """L = L_CE."""
    ce = _mean([_cross_entropy(group, settings) for group in outputs])
    return LossTerms(ce, ce.detach())


def _with_kl(outputs: Sequence[GroupOutput], settings: LossSettings) -> LossTerms:
    """L = (1 - λ) L_CE + λ L_KL."""
    weight = settings.lambda_
    ce = _mean([_cross_entropy(group, settings) for group in outputs])
    kl = _mean([_kl(group, settings) for group in outputs])
    return LossTerms((1 - weight) * ce + weight * kl, ce.detach(), kl.detach())


def _with_contrast(outputs: Sequence[GroupOutput], settings: LossSettings) -> LossTerms:
    """L = (1 - λ) L_CE + λ (the KL to the own reference - the bounded KL to the other task's)."""
    from phraseproof.alignment.losses import contrastive_kl

    weight = settings.lambda_
    contrasts: list[Tensor] = []
    for index, own in enumerate(outputs):
        other = outputs[index ^ 1]
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


def _states(outputs: Sequence[GroupOutput], settings: LossSettings) -> LossTerms:
    """L = the MSE alone, as printed: neither L_CE nor λ is in it."""
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


def _negation(outputs: Sequence[GroupOutput], settings: LossSettings) -> LossTerms:
    """L = (1 + λ) L_CE - λ D, D the bounded distance of negations from the reference."""
    weight = settings.lambda_
    ce = _mean([_cross_entropy(group, settings) for group in outputs])
    distance = _mean([_distance(group, settings) for group in outputs])
    return LossTerms((1 + weight) * ce - weight * distance, ce.detach(), None, distance.detach())


def _joint(outputs: Sequence[GroupOutput], settings: LossSettings) -> LossTerms:
    """The mean of the losses of pt+kl and negation: L = L_CE + λ/2 (L_KL - D)."""
    weight = settings.lambda_
    ce = _mean([_cross_entropy(group, settings) for group in outputs])
    kl = _mean([_kl(group, settings) for group in outputs])
    distance = _mean([_distance(group, settings) for group in outputs])
    return LossTerms(ce + weight / 2 * (kl - distance), ce.detach(), kl.detach(), distance.detach())


def _cross_entropy(group: GroupOutput, settings: LossSettings) -> Tensor:
    """Over the reference and its paraphrases. Never over negations: their answer is not the target."""
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


# ---------------------------------------------------------------------------------------------------------- the methods

METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (
        Method("pt+kl", "prompt", "the paper's: cross-entropy, paraphrases pulled to the reference", _with_kl, True),
        Method("pt", "prompt", "cross-entropy alone", _plain),
        Method("ft", "weights", "cross-entropy alone, all weights", _plain),
        Method("ft+kl", "weights", "as pt+kl, all weights", _with_kl, True),
        Method(
            "pt+contrastive",
            "prompt",
            "as pt+kl, and paraphrases pushed away from another task's reference",
            _with_contrast,
            True,
            references_per_batch=2,
        ),
        Method(
            "ft+contrastive", "weights", "as pt+contrastive, all weights", _with_contrast, True, references_per_batch=2
        ),
        Method(
            "mse",
            "prompt",
            "the encoder's states at the soft prompt made equal (encoder-decoder only)",
            _states,
            needs_encoder_states=True,
        ),
        Method(
            "negation",
            "prompt",
            "cross-entropy, and negations pushed away from the reference",
            _negation,
            True,
            needs_negations=True,
            uses_paraphrases=False,
        ),
        Method(
            "joint",
            "prompt",
            "paraphrases pulled to the reference, negations pushed away",
            _joint,
            True,
            needs_negations=True,
        ),
    )
}
