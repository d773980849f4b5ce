"""What an alignment method is: the settings, input and output of its loss, and what it needs. Does not import torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from phraseproof.errors import ModelError, UsageError
from phraseproof.training.loss_terms import LossTerms

if TYPE_CHECKING:
    from torch import Tensor

    from phraseproof.alignment.pairs import ParaphraseSet


Trained = Literal["prompt", "lora", "dora", "weights"]
"""What a method trains: a soft prompt, low-rank adapters (LoRA, DoRA) of linear layers, or all weights."""

LOW_RANK: tuple[Trained, ...] = ("lora", "dora")

LOW_RANK_SETTINGS = ("rank", "lora_alpha", "lora_dropout", "target_modules")
"""The settings that only methods with low-rank adapters use."""

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
        lambda_: the paper's λ, from 0 to 1, of the term next to the cross-entropy; unused by methods with one term.
        detach_reference: stop the gradient on the reference's side of a KL divergence or MSE.
        push_bound: the maximum gain in nats per token from pushing two wordings apart; `None` is unbounded, as printed.
        reference_in_ce: include the reference wording in the cross-entropy. Without it, and with `detach_reference`,
            the reference needs no graph (`Method.reference_needs_gradient`).
        kl_direction: `reverse` is KL(paraphrase || reference), as printed; `forward` the other one; `symmetric` their
            mean.
        is_balanced: scale the consistency term so that its gradient at the logits is as long as the cross-entropy's.
    """

    lambda_: float = 0.8
    detach_reference: bool = True
    push_bound: float | None = 1.0
    reference_in_ce: bool = True
    kl_direction: Literal["reverse", "forward", "symmetric"] = "reverse"
    is_balanced: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.lambda_ <= 1:
            raise UsageError(
                "λ is not a valid weight", expected="a number from 0 to 1", got=str(self.lambda_), where="--lambda"
            )
        if self.push_bound is not None and not self.push_bound > 0:
            raise UsageError(
                "the bound is not positive", expected="a number above 0", got=str(self.push_bound), where="--push-bound"
            )


class OptionOutput(NamedTuple):
    """The network's output for the options of one paraphrase set, under the reference and its W-1 paraphrases.

    Attributes:
        logits: [W, C, T, V].
        targets: token ids of the options [W, C, T], -100 at padding.
        scored: [W, C, T], true at tokens that count for an option's score: an end-of-text token that training
            appended does not.
        target: the place of the target among the options.
        weights: q [C], a teacher's distribution over the options; `None` if the target is the only right one.
    """

    logits: Tensor
    targets: Tensor
    scored: Tensor
    target: int
    weights: Tensor | None = None


class GroupOutput(NamedTuple):
    """The network's output for one paraphrase set: rows for the reference, then paraphrases, then negations.

    Attributes:
        logits: [rows, T, V].
        targets: token ids [rows, T], -100 at padding.
        mask: [rows, T], true at target tokens.
        paraphrases, negations: the number of rows of each; rows = 1 + paraphrases + negations.
        prefix_states: the last encoder layer at the soft prompt's positions [rows, n, width], for `mse`.
        labelled: whether the target is a label. If not, only terms that compare wordings are trained on.
        options: the output for the pair's options, if the method or a teacher's distribution needs it.
    """

    logits: Tensor
    targets: Tensor
    mask: Tensor
    paraphrases: int
    negations: int = 0
    prefix_states: Tensor | None = None
    labelled: bool = True
    options: OptionOutput | None = None

    @property
    def paraphrase_rows(self) -> range:
        """The rows of the paraphrases."""
        return range(1, 1 + self.paraphrases)

    @property
    def negation_rows(self) -> range:
        """The rows of the negations."""
        return range(1 + self.paraphrases, 1 + self.paraphrases + self.negations)


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
        has_consistency: the loss is (1-λ) CE plus λ times a term that compares wordings and needs no label. So it can
            train on sets without labels, and the two terms can be balanced.
        is_symmetric: the reference is a wording like all others, and moves as they do.
        needs_options: the loss compares distributions over options: every set needs at least two.
        draws_one: a batch contains one wording of a set, drawn from the reference and its paraphrases.
        stops_on: what early stopping judges: the held-out `loss`, or the agreement of answers on held-out sets,
            `kappa`.
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
    has_consistency: bool = False
    is_symmetric: bool = False
    needs_options: bool = False
    draws_one: bool = False
    stops_on: Literal["loss", "kappa"] = "loss"

    @property
    def trains_without_labels(self) -> bool:
        """Whether the loss has a term that needs no label."""
        return self.has_consistency or self.needs_encoder_states

    @property
    def learns_from_reference(self) -> bool:
        """Whether the loss pulls other wordings towards the reference."""
        return self.uses_kl and self.uses_paraphrases and not self.is_symmetric

    @property
    def unused_settings(self) -> frozenset[str]:
        """The settings of `AlignmentSettings` that have no effect on it."""
        uses = {
            LOW_RANK_SETTINGS: self.trains in LOW_RANK,
            ("num_tokens", "placement"): self.trains == "prompt",
            ("lambda_",): self.uses_kl or self.has_consistency or self.needs_options,
            ("paraphrases_per_batch",): not self.draws_one,
            ("detach_reference",): self.learns_from_reference or self.needs_negations or self.needs_encoder_states,
            ("push_bound",): self.needs_negations or self.references_per_batch > 1,
        }
        return frozenset(name for names, is_used in uses.items() if not is_used for name in names)

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
        if self.is_symmetric or not self.uses_paraphrases:
            return True
        return settings.reference_in_ce or not settings.detach_reference

    def check_choices(
        self,
        *,
        kl_schedule: str = "constant",
        kl_direction: str = "reverse",
        labels: str = "given",
        guard: bool = False,
    ) -> None:
        """Refuse settings of a term that this method's loss does not have; they are those of `AlignmentSettings`.

        Raises:
            UsageError: names the option.
        """
        has_kl = self.learns_from_reference and self.references_per_batch == 1
        fitting = {"constant": True, "linear": self.uses_kl, "balanced": self.has_consistency}
        for option, value, fits in (
            ("--kl-schedule", kl_schedule, fitting[kl_schedule]),
            ("--kl-direction", kl_direction, has_kl or kl_direction == "reverse"),
            ("--guard", "on", self.uses_kl or self.has_consistency or not guard),
        ):
            if not fits:
                raise UsageError(f"the method {self.name} has no term for this choice", got=value, where=option)
        if labels == "none" and kl_schedule == "balanced":
            raise UsageError(
                "without labels there is no cross-entropy to balance the term with",
                expected="--kl-schedule constant or linear",
                where="--kl-schedule",
            )
        if labels == "none" and not self.trains_without_labels:
            raise UsageError(
                f"the method {self.name} needs labels",
                expected="a method that compares wordings, such as pt+kl",
                where="--labels",
            )

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
        for number, pair in enumerate(pairs, start=1):
            where = pair.source or f"pair {number}"
            if self.needs_options and len(pair.options) < 2:
                raise UsageError(
                    f"the method {self.name} needs the options of every pair",
                    expected="a list 'options' with at least two answers",
                    where=where,
                    hint="phraseproof pairs from-task writes them, for tasks with options",
                )
            if not pair.labelled and not self.trains_without_labels:
                raise UsageError(
                    f"the method {self.name} needs labels, and this pair has none",
                    where=where,
                    hint="Use a method that compares wordings, such as pt+kl, or let a teacher answer: "
                    "phraseproof pairs from-task --teacher",
                )
        if self.references_per_batch > 1 and len({pair.wording_key(pair.instruction) for pair in pairs}) < 2:
            raise UsageError(
                f"the method {self.name} pushes wordings of different tasks apart, and all pairs have one reference",
                expected="pairs with at least two different instructions",
                where="--method",
            )
