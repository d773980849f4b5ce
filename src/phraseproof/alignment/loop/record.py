"""The record of a training by `align`, as `phraseproof.json` has it, without the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from phraseproof.alignment.pairs import ParaphraseSet, wording_hashes
from phraseproof.alignment.pairs.held_out import Split
from phraseproof.identity import content_hash
from phraseproof.training.folder import environment

if TYPE_CHECKING:
    from phraseproof.alignment.initial_adapter import InitialAdapter
    from phraseproof.alignment.methods import Method
    from phraseproof.alignment.settings import AlignmentSettings
    from phraseproof.models.huggingface.trainable import ModelToTrain


def record_of(
    model: ModelToTrain,
    method: Method,
    settings: AlignmentSettings,
    pairs: Sequence[ParaphraseSet],
    split: Split,
    initial: InitialAdapter | None,
    validation: Mapping[str, Sequence[ParaphraseSet]],
) -> dict[str, object]:
    """The record of a training, before it is known how it is computed (`training.folder.run_by`).

    Args:
        model: the base model.
        method, settings: the method, and the settings with all defaults resolved.
        pairs: all sets, with the targets that are trained on.
        split: those that are trained on, and those that are held out.
        initial: the adapter that training starts from, if any.
        validation: further sets to evaluate on, by name.
    """
    identity = asdict(model.identity)
    of_settings = settings.as_record(method.trains)
    trained, held_out = wording_hashes(split.train), wording_hashes(split.held_out)
    origin: dict[str, object] = {}
    if initial is not None:
        # The adapter in another folder is the same one; another one in the same folder is not.
        of_settings["init"] = initial.identity
        origin = {"initial_adapter": str(initial.folder)}
        trained = {**trained, **initial.seen("wordings")}
        held_out = {**held_out, **initial.seen("held_out_wordings")}
    held_out = {key: text for key, text in held_out.items() if key not in trained}
    files = {
        name: {"count": len(sets), "content": content_hash([each.identity(with_options=True) for each in sets])}
        for name, sets in validation.items()
    }
    return {
        "kind": "adapter" if method.writes_adapter else "model",
        "finished": False,
        "base_model": {**identity, "settings": dict(identity["settings"])},
        "settings": of_settings,
        **origin,
        "pairs": {
            "count": len(pairs),
            "content": content_hash([pair.identity(with_options=method.needs_options) for pair in pairs]),
            "train": len(split.train),
            "held_out": len(split.held_out),
            "split_by": split.by,
            **({"validation": files} if files else {}),
        },
        "wordings": trained,
        "held_out_wordings": held_out,
        "environment": environment(),
    }
