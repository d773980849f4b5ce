"""What an alignment method is: the settings, input and output of its loss, and what it needs. Does not import torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from phraseproof.errors import ModelError, UsageError

if TYPE_CHECKING:
    from torch import Tensor

    from phraseproof.alignment.pairs import ParaphraseSet


Trained = Literal["prompt", "lora", "dora", "weights"]
"""What a method trains: a soft prompt, low-rank adapters (LoRA, DoRA) of linear layers, or all weights."""

LOW_RANK: tuple[Trained, ...] = ("lora", "dora")

_PREFIXES: Mapping[Trained, tuple[str, str]] = {
    "lora": ("lora", "low-rank weights (LoRA)"),
    "dora": ("dora", "low-rank weights and magnitudes (DoRA)"),
    "weights": ("ft", "all weights"),
}
"""The first part of a method's name by what it trains, and the words for it. Soft prompts: `pt`."""


@dataclass(frozen=True, slots=True)
class LossSettings:
    """The settings of a loss.

    Attributes:
        lambda_: the paper's λ, from 0 to 1; unused by methods without a KL term.
        detach_reference: stop the gradient on the reference's side of a KL divergence or MSE.
        push_bound: the maximum gain in nats per token from pushing two wordings apart; `None` is unbounded, as printed.
        reference_in_ce: include the reference wording in the cross-entropy. Without it, and with `detach_reference`,
            the reference needs no graph (`Method.reference_needs_gradient`).
    """

    lambda_: float = 0.8
    detach_reference: bool = True
    push_bound: float | None = 1.0
    reference_in_ce: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.lambda_ <= 1:
            raise UsageError(
                "λ is not a valid weight", expected="a number from 0 to 1", got=str(self.lambda_), where="--lambda"
            )
        if self.push_bound is not None and not self.push_bound > 0:
            raise UsageError(
                "the bound is not positive", expected="a number above 0", got=str(self.push_bound), where="--push-bound"
            )


class GroupOutput(NamedTuple):
    """The network's output for one paraphrase set: rows for the reference, then paraphrases, then negations.

    Attributes:
        logits: [rows, T, V].
        targets: token ids [rows, T], -100 at padding.
        mask: [rows, T], true at target tokens.
        paraphrases, negations: the number of rows of each; rows = 1 + paraphrases + negations.
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
        """The rows of the paraphrases."""
        return range(1, 1 + self.paraphrases)

    @property
    def negation_rows(self) -> range:
        """The rows of the negations."""
        return range(1 + self.paraphrases, 1 + self.paraphrases + self.negations)


class LossTerms(NamedTuple):
    """A loss and its terms, in nats.

    Attributes:
        total: the minimised scalar, with its graph.
        ce: the cross-entropy (detached), also if it is not part of the total.
        kl: the KL divergence of paraphrases from their reference (detached); `None` for methods without one.
        other: the method's own term before its weight (detached): the contrast, the MSE, the negations' distance.
    """

    total: Tensor
    ce: Tensor
    kl: Tensor | None = None
    other: Tensor | None = None


Objective = Callable[[Sequence[GroupOutput], LossSettings], LossTerms]


@dataclass(frozen=True, slots=True)
class Method:
    """One way to align a model.

    Attributes:
        name: the name on the command line.
        trains: what is trained; everything else is frozen.
        summary: one line for the user.
        objective: the loss of a batch.
        uses_kl: the total has a KL term.
        needs_negations: every paraphrase set needs negated wordings.
        uses_paraphrases: a batch contains paraphrases; otherwise only references and negations.
        needs_encoder_states: the loss uses the encoder's states at the soft prompt: an encoder-decoder model with
            placement `input`.
        references_per_batch: the number of sets that one loss compares; 2 must have references of different meaning.
    """

    name: str
    trains: Trained
    summary: str
    objective: Objective
    uses_kl: bool = False
    needs_negations: bool = False
    uses_paraphrases: bool = True
    needs_encoder_states: bool = False
    references_per_batch: int = 1

    @property
    def writes_adapter(self) -> bool:
        """Whether the result is an adapter for a frozen model; otherwise it is a model."""
        return self.trains != "weights"

    def training(self, trains: Trained) -> Method:
        """A method with the loss of this one, which trains a soft prompt, that trains something else.

        Its name has another first part: `pt+kl` gives `lora+kl`, and `negation` gives `lora+negation`.

        Raises:
            ValueError: a loss that only a soft prompt has.
        """
        if self.trains != "prompt" or trains == "prompt" or self.needs_encoder_states:
            raise ValueError(f"{self.name} cannot train {trains}")
        prefix, words = _PREFIXES[trains]
        first, _, loss = self.name.partition("+")
        name = "+".join(part for part in (prefix, loss if first == "pt" else self.name) if part)
        return replace(self, name=name, trains=trains, summary=f"like {self.name}, {words}")

    def loss(self, outputs: Sequence[GroupOutput], settings: LossSettings = LossSettings()) -> LossTerms:
        """The loss of a batch: the mean over its groups.

        Args:
            outputs: a multiple of `references_per_batch` groups. With 2, each group is compared with its neighbour.
            settings: the settings of the loss.

        Raises:
            ValueError: groups that the method cannot use; `check` reports that before training.
        """
        if not outputs or len(outputs) % self.references_per_batch:
            raise ValueError(f"{self.name} needs a multiple of {self.references_per_batch} groups, not {len(outputs)}")
        return self.objective(outputs, settings)

    def reference_needs_gradient(self, settings: LossSettings) -> bool:
        """Whether the forward pass of the reference wording needs a graph."""
        if self.needs_encoder_states:
            return not settings.detach_reference
        return settings.reference_in_ce or not settings.detach_reference or not self.uses_paraphrases

    def check(self, pairs: Sequence[ParaphraseSet], *, is_encoder_decoder: bool, placement: str = "input") -> None:
        """Check before training that the method can use the data and the model.

        Raises:
            ModelError: the method cannot use this family of models.
            UsageError: the sets lack what the method needs, or the soft prompt has a placement that it cannot use.
        """
        if self.needs_encoder_states and not is_encoder_decoder:
            raise ModelError(
                f"the method {self.name} compares encoder states at the soft prompt, and this model has no encoder",
                expected="an encoder-decoder model",
                got="a decoder-only model",
                where="--method",
                hint="Use --method pt+kl",
            )
        if self.needs_encoder_states and placement != "input":
            raise UsageError(
                f"the method {self.name} needs the soft prompt at the encoder's input",
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
                        hint="Give every pair a list 'negations'",
                    )
        if self.references_per_batch > 1 and len({pair.wording_key(pair.instruction) for pair in pairs}) < 2:
            raise UsageError(
                f"the method {self.name} pushes wordings of different tasks apart, and all pairs have one reference",
                expected="pairs with at least two different instructions",
                where="--method",
            )
