"""The training loop, on Hugging Face Accelerate: one process, several processes and FSDP are its configuration.

Every batch is a function of the seed and the batch's number, nothing is drawn during training, and checkpoints are
written atomically: every `save_every` steps, every `save_every_seconds`, and after the step in which a signal came.
So a training that was stopped or killed and resumed ends, on a CPU, with the bytes of an uninterrupted one.
"""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch

from phraseproof.energy.session import SESSIONS
from phraseproof.errors import RunError
from phraseproof.store.training_record import write_record
from phraseproof.training.checkpoint import Checkpoints, Kept, TrainingState
from phraseproof.training.learning_rate import learning_rate_factor
from phraseproof.training.log import StepReport, TrainingEvaluation, TrainingLog, TrainingObserver, log_row, read_log
from phraseproof.training.optimization import NotFiniteError
from phraseproof.training.pace import Pace
from phraseproof.training.sessions import TrainingSessions
from phraseproof.training.stop_request import StopRequest
from phraseproof.training.work import StepTokens

if TYPE_CHECKING:
    from accelerate import Accelerator

    from phraseproof.training.work import TrainingPlan, TrainingWork


SECONDS_BETWEEN_SAVES = 60.0
"""The default number of seconds between saves: a killed training loses about this much work at most."""

SAVING_SHARE = 0.05
"""The largest share of the time that saving by default may take: weights of large models take long to write."""


class TrainingLoop:
    """One training, from the state of its folder to its end.

    Args:
        work: the model and its batches.
        plan: the length of the training, and what stops and saves it.
        out: the folder.
        accelerator: the processes, the device and the precision.
        observer: receives the progress.
    """

    def __init__(
        self, work: TrainingWork, plan: TrainingPlan, out: Path, accelerator: Accelerator, observer: TrainingObserver
    ) -> None:
        self._work = work
        self._plan = plan
        self._out = out
        self._accelerator = accelerator
        self._observer = observer
        self._optimization = work.optimization
        self._checkpoints = Checkpoints(out, work.read_evaluation)
        self._state = TrainingState()
        self._pace = Pace(plan.steps, plan.eval_every)
        self._record = dict(plan.record)
        self._record["parameters"] = {
            "trained": self._optimization.trained_count,
            "total": self._optimization.total_count,
        }
        self._saved_at = time.monotonic()
        self._save_seconds = self._step_seconds = 0.0
        self._sessions: TrainingSessions | None = None

    # ------------------------------------------------------------------------------------------------------------ steps

    def run(self) -> Mapping[str, object]:
        """Train to the end and write the adapter or model. The network is then frozen, and without an adapter.

        Returns:
            The folder's record.

        Raises:
            RunError: the loss was not finite; the last good weights were kept.
            ModelError: a frozen model's weights changed.
            KeyboardInterrupt: Ctrl-C or another signal of `STOP_SIGNALS`; the steps done are saved.
        """
        if self._accelerator.is_main_process:
            device = str(self._optimization.parameters[0].device)
            self._sessions = TrainingSessions(self._out, self._plan, self._accelerator, device, self._observer.warned)
        try:
            return self._run()
        finally:
            if self._sessions is not None:
                self._sessions.section(stop=True)
            self._work.release()

    def _run(self) -> Mapping[str, object]:
        resumed = self._resume()
        log: TrainingLog | None = None
        if self._accelerator.is_main_process:
            self._write_record(None)
            log = TrainingLog(self._out, resumed_at=resumed)
        self._observer.started(total=self._plan.steps, done=self._state.step)
        self._watch = self._work.watch([] if resumed is None else read_log(self._out))
        try:
            with StopRequest(self._signal_came) as stop:
                if resumed is None:
                    self._done(StepReport(0, held_out=self._evaluate()), log, stop)
                while self._state.step < self._plan.steps and not self._is_stale() and not self._is_drifting():
                    self._done(self._advance(), log, stop)
        except NotFiniteError as error:
            self._keep_last_good(str(error))
        finally:
            if log is not None:
                log.close()
        if self._is_drifting():
            return self._finish("drift")
        return self._finish("done" if self._state.step == self._plan.steps else "early")

    def _done(self, report: StepReport, log: TrainingLog | None, stop: StopRequest) -> None:
        """Log a step, save if a save is due, and stop if a stop is requested."""
        # The log line is written before the checkpoint: a resumed training drops lines of later steps.
        if log is not None:
            log.write(report)
        if report.step in self._plan.exports:
            self._export_step(self._plan.exports[report.step])
        is_stopping = self._agreed(stop.number is not None)
        if is_stopping or self._is_save_due() or self._agreed(self._is_save_time()):
            self._save()
        self._notify(report)
        if is_stopping:
            message = f"stopped after step {report.step:,} of {self._plan.steps:,}; the same command resumes from there"
            stop.deliver(message)
            # Another process received the signal.
            raise KeyboardInterrupt(message)

    def _signal_came(self, number: signal.Signals) -> None:
        if self._accelerator.is_main_process:
            self._observer.warned(f"{number.name}: saving after this step; a second signal stops at once")

    def _agreed(self, asked: bool) -> bool:
        """Whether any process requests it: all processes save together."""
        if self._accelerator.num_processes == 1:
            return asked
        own = torch.tensor(float(asked), device=self._accelerator.device)
        return bool(cast("torch.Tensor", self._accelerator.reduce(own, reduction="sum")) > 0)

    def _advance(self) -> StepReport:
        """One step, with the evaluation that is due after it."""
        began = time.perf_counter()
        step = self._state.step
        plan = self._plan
        rate = plan.learning_rate * learning_rate_factor(step, plan.steps, plan.warmup_steps, plan.schedule)
        losses, norm = self._optimization.step(step, self._work.passes(step), rate)
        self._pace.stepped(time.perf_counter() - began)
        self._state = self._state._replace(step=step + 1)
        step += 1
        due = step % self._plan.eval_every == 0 or step == self._plan.steps or step in self._plan.exports
        held_out = self._evaluate() if due else None
        seconds = time.perf_counter() - began
        self._state = self._state._replace(seconds=self._state.seconds + seconds)
        self._step_seconds = seconds
        return StepReport(step, *losses, rate, norm, seconds, held_out, self._pace.seconds_left(step))

    def _evaluate(self) -> TrainingEvaluation | None:
        """Evaluate on held-out sets; updates the state, and saves the weights if they are the best so far."""
        began = time.perf_counter()
        held_out = self._work.evaluate()
        if held_out is None:
            return None
        self._pace.evaluated(time.perf_counter() - began)
        if not math.isfinite(held_out.loss):
            raise NotFiniteError(f"the held-out loss was not a finite number after step {self._state.step}")
        self._state = state = self._state.evaluated(held_out, self._plan.stops_on)
        if self._plan.patience is not None and state.best_step == state.step:
            self._keep("best")
        if self._plan.is_guarded and state.lowest_ce_step == state.step:
            self._keep("lowest-ce")
        return held_out

    def _keep(self, kept: Kept) -> None:
        weights = self._optimization.weights()
        if self._accelerator.is_main_process:
            self._checkpoints.save_best(weights, kept)

    def _is_drifting(self) -> bool:
        """Whether the guard stops the training; only the main process reads the log."""
        return self._plan.is_guarded and self._agreed(self._accelerator.is_main_process and self._watch.is_drifting)

    def _is_save_due(self) -> bool:
        step = self._state.step
        is_regular = step > 0 and step % self._plan.save_every == 0
        return is_regular or step in self._plan.exports or step == self._plan.steps or self._is_stale()

    def _is_save_time(self) -> bool:
        waited, interval = time.monotonic() - self._saved_at, self._plan.save_every_seconds
        if interval is None:
            return waited > max(SECONDS_BETWEEN_SAVES, self._save_seconds / SAVING_SHARE)
        # A save that would be due within the next step is done before it, so that a kill loses no more than that.
        return self._state.step > 0 and waited + self._step_seconds >= interval

    def _is_stale(self) -> bool:
        patience = self._plan.patience
        return patience is not None and self._state.stale >= patience

    def _notify(self, report: StepReport) -> None:
        if self._accelerator.is_main_process:
            self._observer.stepped(report)
            warning = self._watch.read(log_row(report))
            if warning is not None:
                if self._plan.is_guarded and self._watch.is_drifting:
                    kept = self._state.lowest_ce_step
                    warning += f". The guard stops the training, and keeps the weights of step {kept}"
                self._observer.warned(warning)

    # ----------------------------------------------------------------------------------------------- checkpoints, files

    def _resume(self) -> int | None:
        """Load the newest checkpoint. Returns its step, or `None` if there is none."""
        steps = self._checkpoints.steps()
        if not steps:
            return None
        saved = self._checkpoints.load(steps[0])
        self._optimization.restore(saved)
        self._state = saved.state
        return steps[0]

    def _save(self) -> None:
        began = time.monotonic()
        checkpoint = self._optimization.checkpoint(self._state)
        if self._accelerator.is_main_process:
            self._checkpoints.save(checkpoint)
            self._write_record(None)
        self._accelerator.wait_for_everyone()
        self._saved_at = time.monotonic()
        self._save_seconds = self._saved_at - began

    def _keep_last_good(self, problem: str) -> None:
        """Write the newest weights that a whole step has used without trouble, then raise.

        A checkpoint's weights are first used in the step after it. So a checkpoint from before the last whole step is
        good, and one from that very step may not be.
        """
        failed_on = self._state.step
        kept: int | None = None
        if self._plan.patience is not None and 0 < self._state.best_step < failed_on:
            kept = self._state.best_step
            self._optimization.set_weights(self._checkpoints.load_best())
        elif good := [step for step in self._checkpoints.steps() if step < failed_on]:
            kept = good[0]
            self._optimization.set_weights(self._checkpoints.load(kept).weights)
        if kept is not None:
            self._work.export(self._out)
            self._write_record({"stopped": problem, "step": kept})
        self._accelerator.wait_for_everyone()
        summary = f"The {self._record['kind']} of step {kept} was kept" if kept is not None else "Nothing was kept"
        raise RunError(
            f"training stopped: {problem}",
            where=str(self._out),
            hint=f"{summary}. Try a lower --learning-rate in another --out",
        ) from None

    def _finish(self, stopped: str) -> Mapping[str, object]:
        state = self._state
        kept, after = state.step, state.last
        if stopped == "drift" and state.lowest_ce is not None:
            self._optimization.set_weights(self._checkpoints.load_best("lowest-ce"))
            kept, after = state.lowest_ce_step, state.lowest_ce
        elif self._plan.patience is not None and state.best is not None:
            self._optimization.set_weights(self._checkpoints.load_best())
            kept, after = state.best_step, state.best
        self._optimization.check_base()
        self._work.export(self._out)
        result = {
            "step": kept,
            "steps": state.step,
            "stopped": stopped,
            "before": None if state.before is None else state.before.as_record(),
            "after": None if after is None else after.as_record(),
            "tokens": self._tokens()._asdict(),
            "seconds": round(state.seconds, 3),
        }
        self._write_record(result, finished=True)
        if self._accelerator.is_main_process:
            self._checkpoints.clear()
        self._accelerator.wait_for_everyone()
        return self._record

    def _export_step(self, folder: str) -> None:
        """Write the present weights to another folder, with the record of the training so far."""
        self._work.export(self._out / folder)
        if self._accelerator.is_main_process:
            last = self._state.last
            result = {
                "step": self._state.step,
                "after": None if last is None else last.as_record(),
                "tokens": self._tokens()._asdict(),
            }
            write_record(self._out / folder, {**self._record, "finished": True, "result": result})

    def _tokens(self) -> StepTokens:
        """The tokens of the steps done, of earlier sessions too."""
        counted = [self._work.tokens(step) for step in range(self._state.step)]
        return StepTokens(sum(each.read for each in counted), sum(each.trained for each in counted))

    def _write_record(self, result: Mapping[str, object] | None, *, finished: bool = False) -> None:
        self._record |= {"finished": finished, "result": result}
        base = self._optimization.base_hash
        if base is not None:
            self._record["base_weights"] = {"before": base, "after": base if finished else None}
        if self._sessions is not None:
            self._record[SESSIONS] = self._sessions.section()
            write_record(self._out, self._record)
