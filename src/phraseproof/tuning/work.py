"""An instruction tuning as the training loop sees it: its passes, its evaluations, and what is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from torch.nn import functional

from phraseproof.engine.training.forward import IGNORED
from phraseproof.training.export import save_model
from phraseproof.training.loss_terms import LossTerms
from phraseproof.training.optimization import AdamWSettings, Optimization, TrainingPass
from phraseproof.training.trainable_model import TrainableModel
from phraseproof.tuning.order import micro_batches
from phraseproof.tuning.validation import ValidationLosses, evaluate_file

if TYPE_CHECKING:
    from accelerate import Accelerator

    from phraseproof.engine.training.forward import TargetLogits
    from phraseproof.training.log import LogRow
    from phraseproof.training.work import StepTokens
    from phraseproof.tuning.preparation import TuningPreparation


class NothingWatched:
    """A training that nothing watches: one loss has nothing to drift away from."""

    is_drifting = False

    def read(self, row: LogRow) -> str | None:
        """No warning."""
        del row
        return None


class TuningWork:
    """The model of an instruction tuning and its batches. Every process must call every method.

    The loss of a step is the mean cross-entropy over all answer tokens of its examples, over all processes: an example
    with a long answer counts more, as in the Trainer of transformers.

    Args:
        prepared: the model, the examples and the settings.
        accelerator: the processes, the device and the precision.

    Attributes:
        optimization: the model in training and its optimizer.
    """

    def __init__(self, prepared: TuningPreparation, accelerator: Accelerator) -> None:
        self._prepared, self._accelerator = prepared, accelerator
        model, settings = prepared.model, prepared.settings
        self._order = prepared.order
        self._lengths = [len(row.context) + len(row.target) for row in prepared.train.rows]
        trainable = TrainableModel(
            model.network,
            None,
            joined=model.is_decoder_only,
            pad_id=model.pad_id,
            gradient_checkpointing=settings.gradient_checkpointing,
        )
        self.optimization = Optimization(
            trainable,
            accelerator,
            AdamWSettings(settings.learning_rate, settings.weight_decay, settings.max_grad_norm, decays_all=False),
            is_frozen=False,
        )

    def passes(self, step: int) -> list[TrainingPass]:
        """This process's forward passes of a step."""
        rows, processes = self._prepared.train.rows, self._accelerator.num_processes
        chosen = self._order.step(step)
        total = sum(len(rows[index].target) for index in chosen)
        batches = micro_batches(
            chosen,
            self._lengths,
            size=self._prepared.settings.examples_per_pass,
            process=self._accelerator.process_index,
            processes=processes,
        )
        return [
            TrainingPass(
                # A process that has no examples left takes part with one that does not count.
                losses=partial(self._losses, batch or chosen[:1]),
                weights=[sum(len(rows[index].target) for index in batch) * processes / total],
            )
            for batch in batches
        ]

    def tokens(self, step: int) -> StepTokens:
        """The tokens of a step, over all processes."""
        return self._prepared.step_tokens(self._order, step)

    def evaluate(self) -> ValidationLosses | None:
        """Evaluate the present weights on the validation files; `None` without any."""
        files = self._prepared.validation
        if not files:
            return None
        size = self._prepared.settings.examples_per_pass
        model = self.optimization.model
        return ValidationLosses(
            {name: evaluate_file(tokens, model, self._accelerator, size=size) for name, tokens in files.items()}
        )

    def read_evaluation(self, record: Mapping[str, object]) -> ValidationLosses:
        """An evaluation from its record."""
        return ValidationLosses.from_record(record)

    def watch(self, earlier: Sequence[LogRow]) -> NothingWatched:
        """Nothing is watched."""
        del earlier
        return NothingWatched()

    def export(self, out: Path) -> None:
        """Write the present weights as an ordinary model folder, with the tokenizer."""
        save_model(self.optimization.model, self._accelerator, self._prepared.model.tokenizer, out)

    def release(self) -> None:
        """Leave the network frozen."""
        self.optimization.release()

    def _losses(self, batch: Sequence[int]) -> list[LossTerms]:
        output: TargetLogits = self.optimization.model([self._prepared.train.rows[index] for index in batch])
        loss = functional.cross_entropy(output.logits.flatten(0, 1), output.targets.flatten(), ignore_index=IGNORED)
        return [LossTerms(loss, loss.detach())]
