"""`align`: train on examples in several wordings until the wording matters less (paper, section 5)."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from phraseproof.alignment.loop.log import AlignmentObserver, HeldOut, SilentAlignmentObserver
from phraseproof.alignment.loop.preparation import Preparation, check_folder, prepare
from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.errors import MissingExtraError, ModelError, RunError, UsageError
from phraseproof.models import ModelOptions

if TYPE_CHECKING:
    from accelerate import Accelerator

    from phraseproof.alignment.pairs import ParaphraseSet
    from phraseproof.models.huggingface.model import HuggingFaceModel

__all__ = ["AlignmentResult", "AlignmentSettings", "align"]

LOCK_FILE = ".training.lock"


@dataclass(frozen=True, slots=True)
class AlignmentResult:
    """A finished training.

    Attributes:
        folder: an adapter folder for methods that train a soft prompt, a model folder for the others.
        kind: `adapter` or `model`.
        step: the step whose weights were kept.
        steps: steps done.
        stopped: why training ended: `done`, or `early` (the held-out loss no longer fell).
        before, after: held-out evaluations before the first step, and of the kept weights; `None` without any.
        seconds: spent in steps and evaluations, over all sittings.
    """

    folder: Path
    kind: str
    step: int
    steps: int
    stopped: str
    before: HeldOut | None
    after: HeldOut | None
    seconds: float


def align(
    model: str | HuggingFaceModel,
    pairs: Sequence[ParaphraseSet] | Path,
    out: Path,
    settings: AlignmentSettings = AlignmentSettings(),
    *,
    model_options: ModelOptions = ModelOptions(),
    observer: AlignmentObserver | None = None,
) -> AlignmentResult:
    """Train a soft prompt (or, for the `ft*` methods, all weights) on pairs.

    The same call again goes on with a training that was stopped, and returns at once from one that is finished.

    Args:
        model: a hub id, a folder, or a loaded Hugging Face model; the `ft*` methods change the weights of the latter,
            unless it has scored before: then its weights are read again.
        pairs: examples in several wordings, or the path of a JSONL file of them.
        out: the folder for the adapter (or model), `phraseproof.json` and `training.jsonl`.
        settings: method and numbers; the defaults are the paper's.
        model_options: how to load a model given by name; its `max_length` also bounds the pairs' prompts.
        observer: told how it goes.

    Raises:
        PhraseproofError: something in the input is wrong.
        RunError: the loss was no longer a number (the last good weights are kept in `out`), or the folder holds
            another training.
        ModelError: memory ran out, or a frozen model's weights changed.
    """
    observer = observer or SilentAlignmentObserver()
    accelerator = _accelerator(settings, model_options)
    if accelerator.num_processes > 1 and model_options.device == "auto":
        model_options = replace(model_options, device=str(accelerator.device))
    prepared = prepare(model, pairs, settings, model_options)
    with _only_trainer(out, accelerator):
        found = check_folder(out, prepared.record)
        accelerator.wait_for_everyone()
        if found is not None and found.get("finished"):
            return _result(out, found)
        _warn(prepared, observer)
        from accelerate.utils.memory import (
            should_reduce_batch_size,  # pyright: ignore[reportUnknownVariableType]
        )

        from phraseproof.alignment.loop.training import Training

        try:
            record = Training(prepared, out, accelerator, observer).run()
        except RuntimeError as error:
            if not should_reduce_batch_size(error):
                raise
            raise ModelError(
                "memory ran out while training",
                hint="Try fewer --paraphrases-per-batch, --max-length 512, or --mixed-precision bf16",
            ) from error
        finally:
            accelerator.free_memory()
        return _result(out, record)


def _accelerator(settings: AlignmentSettings, options: ModelOptions) -> Accelerator:
    try:
        from accelerate import Accelerator
    except ImportError:
        raise MissingExtraError("training", extra="hf", package="accelerate") from None
    device = options.args.get("device", options.device)
    try:
        # The model's loader has placed the weights; Accelerate moves nothing.
        return Accelerator(mixed_precision=settings.mixed_precision, cpu=device == "cpu", device_placement=False)
    except (ValueError, ImportError, RuntimeError) as error:
        raise UsageError(
            "Accelerate cannot work with this configuration",
            got=" ".join(str(error).split())[:200],
            where="--mixed-precision" if settings.mixed_precision else None,
        ) from error


@contextlib.contextmanager
def _only_trainer(out: Path, accelerator: Accelerator) -> Generator[None]:
    """Hold the folder, so that two trainings do not write over each other; the first process holds it for all."""
    from filelock import FileLock, Timeout

    if not accelerator.is_main_process:
        yield
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = FileLock(out / LOCK_FILE)
        lock.acquire(timeout=0)
    except Timeout:
        raise RunError("another process is training into this folder", where=str(out)) from None
    except OSError as error:
        raise RunError(f"cannot make the folder: {error.strerror or error}", where=str(out)) from None
    try:
        yield
    finally:
        lock.release()
        (out / LOCK_FILE).unlink(missing_ok=True)


def _warn(prepared: Preparation, observer: AlignmentObserver) -> None:
    """Say what may surprise about the split and the settings."""
    split = prepared.split
    if split.by == "pair":
        observer.warned(
            "the held-out pairs are new examples, but some of their wordings are trained on: "
            "there are too few wordings to hold any out"
        )
    if split.unused:
        observer.warned(f"{split.unused} pairs have only held-out wordings and are not used")
    if prepared.method.trains == "weights" and prepared.model.dtype != "float32":
        observer.warned(
            f"tuning all weights in {prepared.model.dtype} loses small steps; --dtype float32 --mixed-precision bf16 "
            "does not"
        )


def _result(out: Path, record: Mapping[str, Any]) -> AlignmentResult:
    result: dict[str, Any] = dict(record["result"])
    for name in ("before", "after"):
        result[name] = None if result[name] is None else HeldOut(**result[name])
    return AlignmentResult(folder=out, kind=record["kind"], **result)
