"""The result of an evaluation on held-out paraphrase sets. Importing this does not import torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import fmean
from typing import Any, NamedTuple, Self, cast


class HeldOut(NamedTuple):
    """The result of an evaluation on held-out paraphrase sets.

    Attributes:
        loss, ce: means over the sets, of the method's loss and of the cross-entropy, in nats. Of sets without a label,
            the cross-entropy is that with what the reference answered before training.
        kl: the mean KL divergence of paraphrases from their reference, in nats, also for methods whose loss has no KL.
        accuracy: the share of prompts under paraphrased wordings for which every target token is the most likely token
            after the target tokens before it, so that greedy decoding would write the target.
        reference_accuracy: the same share under the reference wordings.
        pairs: the number of sets.
        kappa: Fleiss' kappa of the options that wordings choose, for methods that compare options; `None` for others,
            and where all answers are one option.
    """

    loss: float
    ce: float
    kl: float
    accuracy: float
    reference_accuracy: float
    pairs: int
    kappa: float | None = None

    @classmethod
    def from_record(cls, record: Mapping[str, object]) -> Self:
        """The evaluation whose record this is."""
        return cls(**cast("Mapping[str, Any]", record))

    @property
    def summary(self) -> str:
        """The accuracy."""
        return f"held-out accuracy {self.accuracy:.1%}"

    def badness(self, judged_by: str) -> float:
        """What early stopping wants low: the loss, or the negative agreement if it is judged by `kappa`."""
        if judged_by == "loss":
            return self.loss
        # Where all answers are one option, agreement is not defined: nothing is worse.
        return math.inf if self.kappa is None else -self.kappa

    def as_record(self) -> dict[str, object]:
        """The values by name; without `kappa` where there is none."""
        return {name: value for name, value in self._asdict().items() if name != "kappa" or value is not None}


class AlignmentEvaluation(NamedTuple):
    """The evaluation of an alignment between its steps.

    Attributes:
        held_out: on the pairs that are held out; `None` where there are too few.
        validation: on each validation file, by name.
    """

    held_out: HeldOut | None
    validation: Mapping[str, HeldOut]

    @classmethod
    def from_record(cls, record: Mapping[str, object]) -> Self:
        """The evaluation whose record this is."""
        files = cast("Mapping[str, Mapping[str, object]]", record.get("validation", {}))
        own = {name: value for name, value in record.items() if name != "validation"}
        held_out = HeldOut.from_record(own) if own else None
        return cls(held_out, {name: HeldOut.from_record(values) for name, values in files.items()})

    @property
    def ce(self) -> float:
        """The mean cross-entropy on held-out pairs; without any, the mean over validation files."""
        return fmean(each.ce for each in self._decisive)

    @property
    def loss(self) -> float:
        """The mean loss on held-out pairs; without any, the mean over validation files."""
        return fmean(each.loss for each in self._decisive)

    @property
    def summary(self) -> str:
        """The accuracy on held-out pairs, and the cross-entropy on each validation file."""
        files = [f"{name} CE {each.ce:.4f}" for name, each in self.validation.items()]
        return ", ".join([*([] if self.held_out is None else [self.held_out.summary]), *files])

    def badness(self, judged_by: str) -> float:
        """What early stopping wants low: validation files decide nothing where pairs are held out."""
        return fmean(each.badness(judged_by) for each in self._decisive)

    def as_record(self) -> dict[str, object]:
        """The values on held-out pairs by name; those of validation files under `validation`, if there are any."""
        own = {} if self.held_out is None else self.held_out.as_record()
        files = {name: each.as_record() for name, each in self.validation.items()}
        return {**own, **({"validation": files} if files else {})}

    @property
    def _decisive(self) -> list[HeldOut]:
        return list(self.validation.values()) if self.held_out is None else [self.held_out]
