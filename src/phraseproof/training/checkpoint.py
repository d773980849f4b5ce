"""Checkpoints of an unfinished training: safetensors and JSON in a folder that is written atomically."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

from phraseproof.errors import RunError
from phraseproof.files import publish, read_json, replacing

if TYPE_CHECKING:
    from torch import Tensor

    from phraseproof.training.log import TrainingEvaluation

STATE_FOLDER = ".training"
Kept = Literal["best", "lowest-ce"]
"""Weights that are kept next to the checkpoints: those of early stopping, and those that the guard falls back to."""

KEPT = 2
"""How many checkpoints are kept. The newest may hold weights that no batch has used; the one before has been used."""

_WEIGHTS = "trained.safetensors"
_OPTIMIZER = "optimizer.safetensors"
_PROGRESS = "progress.json"
_EVALUATIONS = ("before", "best", "last", "lowest_ce")
_BEST: Mapping[Kept, str] = {"best": "best.safetensors", "lowest-ce": "lowest-ce.safetensors"}


class TrainingState(NamedTuple):
    """The state of a training, apart from its tensors.

    Attributes:
        step: the number of steps done.
        before: the evaluation before the first step.
        best, best_step: the evaluation with the lowest badness, and its step.
        lowest_ce, lowest_ce_step: the evaluation with the lowest held-out cross-entropy, and its step.
        last: the latest evaluation.
        stale: the number of evaluations since the best.
        seconds: the time spent so far, over all sessions.
    """

    step: int = 0
    before: TrainingEvaluation | None = None
    best: TrainingEvaluation | None = None
    best_step: int = 0
    last: TrainingEvaluation | None = None
    stale: int = 0
    seconds: float = 0.0
    lowest_ce: TrainingEvaluation | None = None
    lowest_ce_step: int = 0

    def evaluated(self, held_out: TrainingEvaluation, stops_on: str = "loss") -> TrainingState:
        """The state after one more evaluation, judged as `TrainingEvaluation.badness` says."""
        state = self
        if state.lowest_ce is None or held_out.ce < state.lowest_ce.ce:
            state = state._replace(lowest_ce=held_out, lowest_ce_step=self.step)
        if self.before is None:
            return state._replace(before=held_out, best=held_out, best_step=self.step, last=held_out)
        if self.best is None or held_out.badness(stops_on) < self.best.badness(stops_on):
            return state._replace(best=held_out, best_step=self.step, last=held_out, stale=0)
        return state._replace(last=held_out, stale=self.stale + 1)


class TrainingCheckpoint(NamedTuple):
    """The content of a checkpoint.

    Attributes:
        weights: the trained tensors by parameter.
        optimizer: the optimizer's tensors by parameter, then by name.
        state: everything else.
    """

    weights: Mapping[str, Tensor]
    optimizer: Mapping[str, Mapping[str, Tensor]]
    state: TrainingState


class Checkpoints:
    """The two newest checkpoints of the training in a folder, and its best weights so far.

    Args:
        out: the training's folder.
        read_evaluation: an evaluation from its record.

    Raises:
        RunError: from any method, if a file cannot be written or read.
    """

    def __init__(self, out: Path, read_evaluation: Callable[[Mapping[str, object]], TrainingEvaluation]) -> None:
        self._folder = out / STATE_FOLDER
        self._read_evaluation = read_evaluation

    def steps(self) -> list[int]:
        """The steps of the existing checkpoints, the newest first."""
        found = (path.name.removeprefix("step-") for path in self._folder.glob("step-*"))
        return sorted((int(step) for step in found if step.isdecimal()), reverse=True)

    def save(self, checkpoint: TrainingCheckpoint) -> None:
        """Add a checkpoint and delete the oldest beyond `KEPT`."""
        from safetensors.torch import save_file

        target = self._path(checkpoint.state.step)
        temporary = self._folder / f".step-{checkpoint.state.step}.tmp"
        flat = {f"{name}\n{key}": value for name, slots in checkpoint.optimizer.items() for key, value in slots.items()}
        try:
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(parents=True)
            save_file(dict(checkpoint.weights), temporary / _WEIGHTS)
            save_file(flat, temporary / _OPTIMIZER)
            progress = checkpoint.state._asdict()
            for name in _EVALUATIONS:
                progress[name] = None if progress[name] is None else progress[name].as_record()
            (temporary / _PROGRESS).write_text(json.dumps(progress), encoding="utf-8")
            shutil.rmtree(target, ignore_errors=True)
            publish(temporary, target)
            for step in self.steps()[KEPT:]:
                shutil.rmtree(self._path(step), ignore_errors=True)
        except OSError as error:
            raise _cannot("write", target, error) from None

    def load(self, step: int) -> TrainingCheckpoint:
        """Read the checkpoint of that step."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        folder = self._path(step)
        try:
            content: dict[str, Any] = cast("dict[str, Any]", read_json(folder / _PROGRESS))
            for name in _EVALUATIONS:
                content[name] = None if content.get(name) is None else self._read_evaluation(content[name])
            optimizer: dict[str, dict[str, Tensor]] = {}
            for name, value in load_file(folder / _OPTIMIZER).items():
                parameter, _, key = name.rpartition("\n")
                optimizer.setdefault(parameter, {})[key] = value
            weights = load_file(folder / _WEIGHTS)
            return TrainingCheckpoint(weights, optimizer, TrainingState(**content))
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise _cannot("read", folder, error) from None

    def save_best(self, weights: Mapping[str, Tensor], kept: Kept = "best") -> None:
        """Replace the best weights, or those with the lowest cross-entropy."""
        from safetensors.torch import save_file

        with replacing(self._folder / _BEST[kept], error=RunError) as temporary:
            save_file(dict(weights), temporary)

    def load_best(self, kept: Kept = "best") -> dict[str, Tensor]:
        """Read the best weights, or those with the lowest cross-entropy."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(self._folder / _BEST[kept])
        except (OSError, SafetensorError) as error:
            raise _cannot("read", self._folder / _BEST[kept], error) from None

    def clear(self) -> None:
        """Delete all checkpoints, once the training is done."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, step: int) -> Path:
        return self._folder / f"step-{step:08d}"


def _cannot(verb: str, path: Path, error: Exception) -> RunError:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    hint = "Delete that folder to resume from an earlier checkpoint" if verb == "read" else None
    return RunError(f"cannot {verb} a checkpoint: {reason}", where=str(path), hint=hint)
