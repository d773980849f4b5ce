"""The loop, on Hugging Face Accelerate: one process, several, and FSDP are its configuration.

Every batch is a function of the seed and of the batch's number, nothing is drawn while training, and checkpoints are
whole or not there: a training that is killed and started again ends, on a CPU, with the same bytes.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from phraseproof.alignment.batches import rows_of, run_groups
from phraseproof.alignment.checkpoint import Checkpoints, Progress, Saved
from phraseproof.alignment.export import save_model
from phraseproof.alignment.log import AlignmentObserver, HeldOut, StepReport, TrainingLog
from phraseproof.alignment.losses import kl_to_reference
from phraseproof.alignment.methods import GroupOutput, LossSettings, LossTerms
from phraseproof.alignment.order import Draw, learning_rate_factor
from phraseproof.alignment.soft_prompt import SoftPrompt
from phraseproof.alignment.trainee import (
    Trainee,
    read_optimizer,
    read_weights,
    weights_hash,
    write_optimizer,
    write_weights,
)
from phraseproof.engine.training.bucketing import join_batches
from phraseproof.errors import ModelError, RunError
from phraseproof.store.training_record import write_record

if TYPE_CHECKING:
    from accelerate import Accelerator

    from phraseproof.alignment.preparation import PairSet, Preparation


class NotFiniteError(Exception):
    """A loss or a gradient that is not a number."""


class _Losses(NamedTuple):
    """Means over the batches of a step; a term that the method lacks is `None`."""

    total: float
    ce: float
    kl: float | None
    other: float | None


class Training:
    """One training, from where its folder stands to its end.

    Args:
        prepared: what is trained on what.
        out: the folder.
        accelerator: where it runs.
        observer: told how it goes.
    """

    def __init__(self, prepared: Preparation, out: Path, accelerator: Accelerator, observer: AlignmentObserver) -> None:
        self._prepared = prepared
        self._out = out
        self._accelerator = accelerator
        self._observer = observer
        self._method, self._settings = prepared.method, prepared.settings
        self._losses = LossSettings(
            lambda_=self._settings.lambda_,
            detach_reference=self._settings.detach_reference,
            push_bound=self._settings.push_bound,
            reference_in_ce=self._settings.reference_in_ce,
        )
        self._order = prepared.train.order(self._method, self._settings, with_paraphrases=self._method.uses_paraphrases)
        self._checkpoints = Checkpoints(out)
        self._progress = Progress()
        self._total = prepared.total_steps(accelerator.num_processes)
        self._eval_every = prepared.eval_every(accelerator.num_processes)
        self._record = dict(prepared.record)
        self._build()

    def _build(self) -> None:
        model, settings = self._prepared.model, self._settings
        network = model.ready.network
        self._soft: SoftPrompt | None = None
        if self._method.trains == "prompt":
            self._soft = SoftPrompt.create(
                network,
                n=settings.num_tokens,
                placement=settings.placement,
                init=settings.init,
                seed=settings.seed,
                tokenizer=model.tokenizer,
            )
        # The prompt that is saved is one that no wrapper has cut to pieces.
        trained_soft = copy.deepcopy(self._soft)
        trainee = Trainee(network, trained_soft, joined=model.joined, pad_id=model.pad_id)
        self._names = trainee.trained
        optimizer = torch.optim.AdamW(
            [parameter for parameter in trainee.parameters() if parameter.requires_grad],
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
        )
        self._trainee, self._optimizer = self._accelerator.prepare(trainee, optimizer)
        self._parameters = [p for p in self._trainee.parameters() if p.requires_grad]
        self._base_hash = self._hash_base() if self._soft is not None else None

    # -------------------------------------------------------------------------------------------------- the whole of it

    def run(self) -> dict[str, Any]:
        """Train to the end and write what was trained.

        Returns:
            The folder's record.

        Raises:
            RunError: the loss was not a number; the last good weights were kept.
            ModelError: a frozen model's weights changed.
        """
        resumed = self._resume()
        log: TrainingLog | None = None
        if self._accelerator.is_main_process:
            self._write_record(None)
            log = TrainingLog(self._out, resumed_at=resumed)
        self._observer.started(total=self._total, done=self._progress.step)
        try:
            if resumed is None:
                report = StepReport(0, held_out=self._evaluate())
                if log is not None:
                    log.write(report)
                self._tell(report)
            while self._progress.step < self._total and not self._is_stale():
                report = self._advance()
                # The line comes before the checkpoint: a resumed training drops lines that are ahead of it.
                if log is not None:
                    log.write(report)
                if self._is_save_due():
                    self._save()
                self._tell(report)
        except NotFiniteError as error:
            self._keep_last_good(str(error))
        finally:
            if log is not None:
                log.close()
        return self._finish("done" if self._progress.step == self._total else "early")

    def _advance(self) -> StepReport:
        """One step, with the evaluation that is due after it."""
        began = time.perf_counter()
        step = self._progress.step
        rate = self._settings.learning_rate * learning_rate_factor(
            step, self._total, self._settings.warmup_steps, self._settings.schedule
        )
        losses, norm = self._step(step, rate)
        self._progress = self._progress._replace(step=step + 1)
        step += 1
        due = step % self._eval_every == 0 or step == self._total
        held_out = self._evaluate() if due else None
        seconds = time.perf_counter() - began
        self._progress = self._progress._replace(seconds=self._progress.seconds + seconds)
        return StepReport(step, *losses, rate, norm, seconds, held_out)

    def _step(self, step: int, rate: float) -> tuple[_Losses, float]:
        accelerator, batches = self._accelerator, self._settings.gradient_accumulation
        found: list[LossTerms] = []
        drawn = [
            self._order.batch((step * batches + micro) * accelerator.num_processes + accelerator.process_index)
            for micro in range(batches)
        ]
        passes = self._passes(self._prepared.train, drawn)
        for together in passes:
            # Gradients meet those of the other processes once a step.
            is_last = together is passes[-1]
            with contextlib.nullcontext() if is_last else accelerator.no_sync(self._trainee):
                terms = self._terms(self._prepared.train, together)
                accelerator.backward(torch.stack([own.total for own in terms]).sum() / batches)
            found += [own._replace(total=own.total.detach()) for own in terms]
        losses = self._mean(found)
        norm: Any = accelerator.clip_grad_norm_(self._parameters, self._settings.max_grad_norm or math.inf)
        norm = float(norm)
        # A scaler for half precision skips steps with infinite gradients by itself.
        if not math.isfinite(losses.total) or not (math.isfinite(norm) or accelerator.scaler is not None):
            what = "the loss" if not math.isfinite(losses.total) else "the gradient"
            raise NotFiniteError(f"{what} was not a finite number in step {step + 1}")
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()
        self._optimizer.zero_grad()
        return losses, norm

    def _passes(self, pairs: PairSet, batches: Sequence[list[Draw]]) -> list[list[list[Draw]]]:
        """Batches by the pass that they run in: where passes are without padding, several small ones share one.

        How they are joined hangs on their sizes alone, so a training that goes on joins them as before.
        """
        if not self._joins:
            return [[batch] for batch in batches]
        runs = join_batches([rows_of(pairs.tokens, batch) for batch in batches], self._vocabulary)
        return [[batches[index] for index in run] for run in runs]

    @functools.cached_property
    def _joins(self) -> bool:
        trainee: Trainee = self._accelerator.unwrap_model(self._trainee)
        return self._accelerator.mixed_precision == "no" and trainee.is_lean

    @property
    def _vocabulary(self) -> int:
        return int(self._prepared.model.ready.network.get_input_embeddings().weight.shape[0])

    def _terms(self, pairs: PairSet, batches: Sequence[list[Draw]]) -> list[LossTerms]:
        """The losses of batches that run in one pass."""
        groups = self._run(pairs, batches, self._method.reference_needs_gradient(self._losses))
        return [self._method.loss(own, self._losses) for own in groups]

    def _run(
        self, pairs: PairSet, batches: Sequence[list[Draw]], reference_needs_gradient: bool
    ) -> list[list[GroupOutput]]:
        """What the network says, by batch, of batches that run in one pass."""
        groups = run_groups(
            self._trainee,
            pairs.tokens,
            [draw for batch in batches for draw in batch],
            need_prefix_states=self._method.needs_encoder_states,
            reference_needs_gradient=reference_needs_gradient,
        )
        rest = iter(groups)
        return [[next(rest) for _ in batch] for batch in batches]

    def _mean(self, found: list[LossTerms]) -> _Losses:
        """The means over a step's batches and over processes, as numbers."""
        means: list[float | None] = []
        for values in zip(*found, strict=True):
            if values[0] is None:
                means.append(None)
                continue
            mean: Any = self._accelerator.reduce(torch.stack(values).float().mean(), reduction="mean")
            means.append(float(mean))
        total, ce, kl, other = means
        assert total is not None, "every method has a total"
        assert ce is not None, "every method reports it"
        return _Losses(total, ce, kl, other)

    # --------------------------------------------------------------------------------------------------- held-out pairs

    def _evaluate(self) -> HeldOut | None:
        """How the present weights do on held-out pairs; remembered in the progress, the best weights on disk."""
        pairs = self._prepared.held_out
        if len(pairs.pairs) < self._method.references_per_batch:
            return None
        order = pairs.order(self._method, self._settings, with_paraphrases=True)
        found: list[LossTerms] = []
        distances: list[torch.Tensor] = []
        right: list[bool] = []
        reference_right: list[bool] = []
        with torch.no_grad():
            batches = [order.batch(index) for index in range(order.batches_an_epoch)]
            for together in self._passes(pairs, batches):
                # One pass for all: nothing here has a graph.
                by_batch = self._run(pairs, together, reference_needs_gradient=True)
                found += [self._method.loss(groups, self._losses) for groups in by_batch]
                for group in (group for groups in by_batch for group in groups):
                    distances.append(kl_to_reference(group.logits, group.mask, rows=group.paraphrase_rows))
                    hits = ((group.logits.argmax(dim=-1) == group.targets) | ~group.mask).all(dim=-1).tolist()
                    reference_right.append(hits[0])
                    right += hits[1 : 1 + group.paraphrases]
        losses = self._mean(found)
        held_out = HeldOut(
            loss=losses.total,
            ce=losses.ce,
            kl=float(torch.stack(distances).mean()),
            accuracy=sum(right) / len(right),
            reference_accuracy=sum(reference_right) / len(reference_right),
            pairs=len(pairs.pairs),
        )
        if not math.isfinite(held_out.loss):
            raise NotFiniteError(f"the loss on held-out pairs was not a finite number after step {self._progress.step}")
        self._progress = self._progress.evaluated(held_out)
        if self._settings.early_stopping_patience is not None and self._progress.best_step == self._progress.step:
            weights = read_weights(self._trainee, self._names)
            if self._accelerator.is_main_process:
                self._checkpoints.save_best(weights)
        return held_out

    def _is_save_due(self) -> bool:
        step = self._progress.step
        return step % self._settings.save_every == 0 or step == self._total or self._is_stale()

    def _is_stale(self) -> bool:
        patience = self._settings.early_stopping_patience
        return patience is not None and self._progress.stale >= patience

    # --------------------------------------------------------------------------------------------- keeping and going on

    def _resume(self) -> int | None:
        """Go on from the newest checkpoint; the step it holds, or `None` where there is none."""
        steps = self._checkpoints.steps()
        if not steps:
            return None
        saved = self._checkpoints.load(steps[0])
        write_weights(self._trainee, saved.weights)
        write_optimizer(self._trainee, self._optimizer, saved.optimizer)
        self._progress = saved.progress
        return steps[0]

    def _save(self) -> None:
        saved = Saved(
            read_weights(self._trainee, self._names),
            read_optimizer(self._trainee, self._optimizer),
            self._progress,
        )
        if self._accelerator.is_main_process:
            self._checkpoints.save(saved)
        self._accelerator.wait_for_everyone()

    def _keep_last_good(self, problem: str) -> None:
        """Write the newest weights that a whole step has run on without trouble, and stop.

        A checkpoint's weights are tried in the step after it. So one from before the last whole step is good.
        """
        failed_on = self._progress.step
        kept: int | None = None
        if self._settings.early_stopping_patience is not None and 0 < self._progress.best_step < failed_on:
            kept = self._progress.best_step
            write_weights(self._trainee, self._checkpoints.load_best())
        elif good := [step for step in self._checkpoints.steps() if step < failed_on]:
            kept = good[0]
            write_weights(self._trainee, self._checkpoints.load(kept).weights)
        if kept is not None:
            self._export()
            self._write_record({"stopped": problem, "step": kept})
        self._accelerator.wait_for_everyone()
        held = f"The {self._record['kind']} of step {kept} is kept there" if kept is not None else "Nothing was kept"
        raise RunError(
            f"training stopped: {problem}",
            where=str(self._out),
            hint=f"{held}. Try a lower --learning-rate in another --out",
        ) from None

    def _finish(self, stopped: str) -> dict[str, Any]:
        progress = self._progress
        kept, after = progress.step, progress.last
        if self._settings.early_stopping_patience is not None and progress.best is not None:
            write_weights(self._trainee, self._checkpoints.load_best())
            kept, after = progress.best_step, progress.best
        if self._base_hash is not None and (now := self._hash_base()) != self._base_hash:
            raise ModelError("the frozen model's weights changed during training", expected=self._base_hash, got=now)
        self._export()
        result = {
            "step": kept,
            "steps": progress.step,
            "stopped": stopped,
            "before": None if progress.before is None else progress.before._asdict(),
            "after": None if after is None else after._asdict(),
            "seconds": round(progress.seconds, 3),
        }
        self._accelerator.unwrap_model(self._trainee).network.requires_grad_(False)
        self._write_record(result, finished=True)
        if self._accelerator.is_main_process:
            self._checkpoints.clear()
        self._accelerator.wait_for_everyone()
        return self._record

    def _export(self) -> None:
        """Write the present weights as an ordinary folder: a PEFT adapter, or a model with its tokenizer."""
        if self._soft is None:
            save_model(self._trainee, self._accelerator, self._prepared.model.tokenizer, self._out)
            return
        weights = read_weights(self._trainee, self._names)
        if self._accelerator.is_main_process:
            own = {name.removeprefix("soft."): value for name, value in weights.items()}
            self._soft.load_state_dict(own)
            self._soft.save(self._out, self._record["base_model"]["name"])

    def _write_record(self, result: dict[str, Any] | None, *, finished: bool = False) -> None:
        self._record |= {"finished": finished, "result": result}
        if self._base_hash is not None:
            self._record["base_weights"] = {"before": self._base_hash, "after": self._base_hash if finished else None}
        if self._accelerator.is_main_process:
            write_record(self._out, self._record)

    def _hash_base(self) -> str:
        return weights_hash(self._accelerator.unwrap_model(self._trainee).network)

    def _tell(self, report: StepReport) -> None:
        if self._accelerator.is_main_process:
            self._observer.stepped(report)
