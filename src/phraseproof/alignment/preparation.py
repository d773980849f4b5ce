"""A training resolved and checked before anything is computed: method, model, pairs, tokens, and what is on record."""

from __future__ import annotations

import difflib
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any, cast

from phraseproof.alignment.held_out import Split, split_pairs
from phraseproof.alignment.methods import Method, known_methods
from phraseproof.alignment.order import Order, Shape
from phraseproof.alignment.pairs import Pair, load_pairs, wording_hashes
from phraseproof.alignment.prompts import PairTokens, tokenise_pairs
from phraseproof.alignment.settings import DEFAULT_EPOCHS, AlignmentSettings
from phraseproof.errors import ModelError, RunError, UsageError
from phraseproof.identity import content_hash
from phraseproof.instructions.render import resolve_format
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from phraseproof.store.training_record import RECORD_FILE, read_record

if TYPE_CHECKING:
    from phraseproof.core import Model

_PACKAGES = ("phraseproof", "torch", "transformers", "tokenizers", "accelerate", "peft", "safetensors")
_OTHER = {"base_model": "another base model", "pairs": "other pairs", "settings": "other settings"}
"""What may tell one training from another, by its name in the record."""


@dataclass(frozen=True)
class PairSet:
    """Pairs with their tokens, parallel."""

    pairs: tuple[Pair, ...]
    tokens: tuple[PairTokens, ...]

    def order(self, method: Method, settings: AlignmentSettings, *, with_paraphrases: bool) -> Order:
        """The order of batches over the pairs."""
        shapes = [
            Shape(
                pair.instruction,
                len(tokens.paraphrases) if with_paraphrases else 0,
                len(tokens.negations) if method.needs_negations else 0,
            )
            for pair, tokens in zip(self.pairs, self.tokens, strict=True)
        ]
        return Order(
            shapes,
            references=method.references_per_batch,
            wordings=settings.paraphrases_per_batch,
            seed=settings.seed,
        )


@dataclass(frozen=True)
class Preparation:
    """Everything a training needs, with no weights loaded yet.

    Attributes:
        model: what is aligned.
        method, settings: with the prompt format resolved.
        train, held_out: the two sides of `split`, with tokens.
        split: how pairs were held out.
        record: what `phraseproof.json` says, except how the training went.
    """

    model: HuggingFaceModel
    method: Method
    settings: AlignmentSettings
    train: PairSet
    held_out: PairSet
    split: Split
    record: dict[str, Any]

    def batches_a_step(self, processes: int) -> int:
        """Batches that one step of the optimizer takes over all processes."""
        return self.settings.gradient_accumulation * processes

    def total_steps(self, processes: int) -> int:
        """Steps of the whole training."""
        settings = self.settings
        epochs = settings.epochs or (None if settings.max_steps else DEFAULT_EPOCHS)
        if epochs is None:
            assert settings.max_steps is not None, "one of the two is set"
            return settings.max_steps
        batches = epochs * (len(self.train.pairs) // self.method.references_per_batch)
        steps = -(-batches // self.batches_a_step(processes))
        return min(steps, settings.max_steps or steps)

    def eval_every(self, processes: int) -> int:
        """Steps between two evaluations on held-out pairs."""
        batches = len(self.train.pairs) // self.method.references_per_batch
        return self.settings.eval_every or max(1, batches // self.batches_a_step(processes))


def prepare(
    model: str | HuggingFaceModel,
    pairs: Sequence[Pair] | Path,
    settings: AlignmentSettings,
    model_options: ModelOptions,
) -> Preparation:
    """Load and check everything but the weights.

    Raises:
        UsageError: an unknown method, pairs that do not serve it, settings that do not fit the model.
        ModelError: a model of a kind that cannot be trained here, or that the method cannot work with.
        FileError: a pairs file that cannot be read.
    """
    method = find_method(settings.method)
    loaded = _model(model, method, model_options)
    # A cached property serves as the protocol's property, which type checkers do not know.
    settings = replace(settings, prompt_format=resolve_format(settings.prompt_format, cast("Model", loaded)))
    found = load_pairs(pairs) if isinstance(pairs, Path) else list(pairs)
    if not found:
        raise UsageError("there are no pairs to train on", where="--pairs")
    method.check(found, is_encoder_decoder=not loaded.joined, placement=settings.placement)
    split = split_pairs(found, settings.held_out_fraction, settings.seed)
    if len(split.train) < method.references_per_batch:
        raise UsageError(
            f"the method {method.name} needs more pairs",
            expected=f"at least {method.references_per_batch} to train on",
            got=f"{len(split.train)} ({len(split.held_out)} held out)",
            where="--pairs",
        )
    if settings.early_stopping_patience is not None and len(split.held_out) < method.references_per_batch:
        raise UsageError(
            "early stopping looks at held-out pairs, and there are too few pairs to hold any out", where="--pairs"
        )
    reserved = settings.num_tokens if method.trains == "prompt" else 0
    train, held_out = (
        PairSet(side, tuple(tokenise_pairs(side, loaded, prompt_format=settings.prompt_format, reserved=reserved)))
        for side in (split.train, split.held_out)
    )
    _refuse_unknown_targets((train, held_out), loaded)
    return Preparation(
        model=loaded,
        method=method,
        settings=settings,
        train=train,
        held_out=held_out,
        split=split,
        record=_record(loaded, method, settings, found, split),
    )


def _refuse_unknown_targets(sides: Sequence[PairSet], model: HuggingFaceModel) -> None:
    """A target of unknown tokens alone is no text to the model: training would teach it to say "unknown"."""
    unknown, end = model.tokenizer.unk_token_id, model.tokenizer.eos_token_id
    if unknown is None or unknown == end:  # GPT-2's tokenizer knows every text, and calls its end "unknown"
        return
    for pair, tokens in ((pair, row) for side in sides for pair, row in zip(side.pairs, side.tokens, strict=True)):
        if all(token in (unknown, end) for token in tokens.target):
            raise UsageError(
                f"the tokenizer knows no part of the target {shorten(pair.target, 40)!r}",
                expected="targets that the model can read and write",
                where=pair.source or "--pairs",
                hint="A model with so small a vocabulary cannot learn these answers",
            )


def find_method(name: str) -> Method:
    """The method of that name, ours or an installed package's.

    Raises:
        UsageError: naming the known ones, and the closest match.
    """
    methods = known_methods()
    if name not in methods:
        close = difflib.get_close_matches(name, list(methods), n=1)
        raise UsageError(
            f"no alignment method is called {name!r}",
            expected=f"one of {', '.join(methods)}",
            where="--method",
            hint=f"Did you mean {close[0]!r}?" if close else None,
        )
    return methods[name]


def check_folder(out: Path, record: dict[str, Any]) -> dict[str, Any] | None:
    """What the folder already says of this very training; `None` where nothing was begun there.

    Raises:
        RunError: the folder holds another training, or something else altogether.
    """
    found = read_record(out)
    if found is None:
        for name in ("adapter_config.json", "config.json"):
            if (out / name).exists():
                raise RunError(
                    "the folder holds a model or adapter that was not trained here",
                    expected=f"a folder without {name}, or with {RECORD_FILE}",
                    where=str(out),
                    hint="Give another --out",
                )
        return None
    for section, other in _OTHER.items():
        old, new = found.get(section, {}), record[section]
        for key in sorted(old.keys() | new.keys()):
            # Checkpoints may be written more or less often without changing what is trained.
            if key != "save_every" and old.get(key) != new.get(key):
                raise RunError(
                    f"the folder holds a training with {other}: {key}",
                    expected=str(old.get(key)),
                    got=str(new.get(key)),
                    where=str(out),
                    hint="Give another --out, or the same as before to go on with this training",
                )
    return found


def _model(model: str | HuggingFaceModel, method: Method, options: ModelOptions) -> HuggingFaceModel:
    if isinstance(model, str):
        args = dict(options.args)
        precision = args.get("dtype", options.dtype)
        if method.trains == "weights" and precision == "auto":
            # Small steps are lost in half precision; --mixed-precision computes in it and keeps the weights exact.
            args.pop("dtype", None)
            options = replace(options, dtype="float32", args=args)
        loaded = load_model(model, options)
    else:
        loaded = model
    if not isinstance(loaded, HuggingFaceModel):
        raise ModelError(
            f"the model '{loaded.identity.name}' cannot be trained",
            expected="a Hugging Face model: a hub id or a folder",
            where="--model",
        )
    if loaded.has_adapter:
        raise UsageError(
            "alignment begins from a model without an adapter",
            where="--adapter",
            hint="To go on from a soft prompt, give its folder as --init",
        )
    return loaded.before_scoring()


def _record(
    model: HuggingFaceModel, method: Method, settings: AlignmentSettings, pairs: Sequence[Pair], split: Split
) -> dict[str, Any]:
    identity = asdict(model.identity)
    trained = wording_hashes(split.train)
    held_out = {key: text for key, text in wording_hashes(split.held_out).items() if key not in trained}
    return {
        "kind": "adapter" if method.trains == "prompt" else "model",
        "finished": False,
        "base_model": {**identity, "settings": dict(identity["settings"])},
        "settings": settings.as_record(),
        "pairs": {
            "count": len(pairs),
            "content": content_hash(list(pairs)),
            "train": len(split.train),
            "held_out": len(split.held_out),
            "split_by": split.by,
        },
        "wordings": trained,
        "held_out_wordings": held_out,
        "environment": _environment(),
    }


def _environment() -> dict[str, str]:
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
