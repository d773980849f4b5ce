"""The losses of a model on named validation files, between steps of its training."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import TYPE_CHECKING, Any, NamedTuple, Self, cast

from phraseproof.tuning.order import micro_batches

if TYPE_CHECKING:
    from accelerate import Accelerator

    from phraseproof.training.trainable_model import TrainableModel
    from phraseproof.tuning.tokens import ExampleTokens


class FileLoss(NamedTuple):
    """The evaluation of one file.

    Attributes:
        loss: the mean cross-entropy of the answers' tokens, in nats.
        accuracy: the share of answers that greedy decoding would write, to their end.
        tokens: the number of the answers' tokens.
        examples: the number of examples.
    """

    loss: float
    accuracy: float
    tokens: int
    examples: int


class ValidationLosses(NamedTuple):
    """The evaluation of all validation files, by name."""

    files: Mapping[str, FileLoss]

    @property
    def loss(self) -> float:
        """The mean over files."""
        return fmean(each.loss for each in self.files.values())

    @property
    def ce(self) -> float:
        """The loss: it is the cross-entropy."""
        return self.loss

    @property
    def summary(self) -> str:
        """The loss of each file."""
        return ", ".join(f"{name} {each.loss:.4f}" for name, each in self.files.items())

    def badness(self, judged_by: str) -> float:
        """The loss, whatever `judged_by` is: nothing else is minimised."""
        del judged_by
        return self.loss

    @classmethod
    def from_record(cls, record: Mapping[str, object]) -> Self:
        """The evaluation whose record this is."""
        files = cast("Mapping[str, Mapping[str, Any]]", record["files"])
        return cls({name: FileLoss(**values) for name, values in files.items()})

    def as_record(self) -> dict[str, object]:
        """The mean over files, and each file's values by name."""
        return {"loss": self.loss, "files": {name: each._asdict() for name, each in self.files.items()}}


def evaluate_file(tokens: ExampleTokens, model: TrainableModel, accelerator: Accelerator, *, size: int) -> FileLoss:
    """Evaluate the present weights. Every process must call it, and computes a share.

    Args:
        tokens: the examples.
        model: a `TrainableModel` as Accelerate wraps it.
        accelerator: the processes.
        size: the number of examples that a process runs at once.
    """
    import torch
    from torch.nn import functional

    from phraseproof.engine.training.forward import IGNORED

    rows = tokens.rows
    lengths = [len(row.context) + len(row.target) for row in rows]
    total, hits = 0.0, 0
    with torch.no_grad():
        for batch in micro_batches(
            range(len(rows)),
            lengths,
            size=size,
            process=accelerator.process_index,
            processes=accelerator.num_processes,
        ):
            # A process without examples takes part: the weights may be spread over all.
            output = model([rows[index] for index in batch] or [rows[0]])
            if batch:
                flat, targets = output.logits.flatten(0, 1), output.targets.flatten()
                total += float(functional.cross_entropy(flat, targets, ignore_index=IGNORED, reduction="sum"))
                is_right = (output.logits.argmax(dim=-1) == output.targets) | ~output.mask
                hits += int(is_right.all(dim=-1).sum())
    own = torch.tensor([total, hits], dtype=torch.float64, device=accelerator.device)
    total, hits = cast("torch.Tensor", accelerator.reduce(own, reduction="sum")).tolist()
    return FileLoss(total / tokens.trained, hits / len(rows), tokens.trained, len(rows))
