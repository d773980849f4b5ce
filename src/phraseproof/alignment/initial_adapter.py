"""The adapter that a training starts from: an ordinary PEFT folder, identified by its weights and not by its path."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from phraseproof.alignment.method import LOW_RANK, Trained
from phraseproof.alignment.settings import RANDOM_VOCABULARY, AlignmentSettings
from phraseproof.errors import ModelError, UsageError
from phraseproof.models.huggingface.adapters import AdapterFolder
from phraseproof.store.training_record import read_record

_WHERE = "--init"
_LORA = "LORA"


class InitialAdapter(NamedTuple):
    """An adapter whose weights a training starts with.

    Attributes:
        adapter: its folder.
        record: the record of its own training; `None` where phraseproof did not train it.
    """

    adapter: AdapterFolder
    record: Mapping[str, Any] | None

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self.adapter.folder

    @property
    def identity(self) -> str:
        """What identifies it in a training's settings, wherever it is."""
        return f"adapter {self.adapter.weights_hash}"

    def seen(self, section: str) -> Mapping[str, str]:
        """The wordings of one section of its record, by fingerprint."""
        return {} if self.record is None else self.record.get(section, {})

    def doubts(self, base: str, revision: str | None) -> list[str]:
        """What a user should know before training on.

        Args:
            base: the name of the model that is trained.
            revision: the identity of its weights.
        """
        if self.record is None:
            unknown = "evaluations cannot warn of wordings that only it was trained on"
            return [f"{self.folder} has no record of its training: {unknown}"]
        trained_on: Mapping[str, str] = self.record.get("base_model", {})
        if trained_on.get("revision") == revision:
            return []
        return [f"{self.folder} was trained on other weights than those of {base}: {trained_on.get('name')}"]


def find_initial_adapter(init: str, trains: Trained) -> InitialAdapter | None:
    """The adapter that is named by the setting `init`; `None` where it names none.

    Raises:
        UsageError: the setting does not apply to what is trained.
        ModelError: the folder holds no adapter of this kind.
    """
    if init == RANDOM_VOCABULARY:
        return None
    if trains == "weights":
        raise UsageError(
            "the setting does not apply to methods that train all weights",
            where=_WHERE,
            hint="Give the folder of the model to start from as --model",
        )
    folder = Path(init)
    if not folder.is_dir():
        if trains in LOW_RANK:
            raise UsageError(
                "a low-rank adapter starts at zero, or from another adapter",
                expected="an adapter's folder",
                got=init,
                where=_WHERE,
            )
        return None
    try:
        adapter = AdapterFolder(folder)
    except ModelError as error:
        raise ModelError(
            error.problem, expected=error.expected, got=error.got, where=_WHERE, hint=error.hint
        ) from error
    is_fitting = adapter.is_soft if trains == "prompt" else adapter.peft_type == _LORA
    if not is_fitting:
        raise ModelError(
            f"the adapter '{folder}' is of another kind than what is trained",
            expected="a soft prompt" if trains == "prompt" else "a low-rank adapter (LORA)",
            got=adapter.peft_type,
            where=_WHERE,
        )
    return InitialAdapter(adapter, read_record(folder))


def load_low_rank(injected: Any, adapter: AdapterFolder, settings: AlignmentSettings, *, uses_dora: bool) -> None:
    """Give the low-rank weights in a network the values of another adapter.

    Args:
        injected: a PEFT model.
        adapter: of the same rank, weight, layers and kind.
        settings: of the training.
        uses_dora: whether the lengths of the weights' rows are trained.

    Raises:
        ModelError: the adapter computes something else than one with these settings.
    """
    from peft import get_peft_model_state_dict, set_peft_model_state_dict

    theirs = adapter.config
    alpha = settings.resolved("lora").lora_alpha
    for name, found, wanted, hint in (
        ("kind", bool(theirs.use_dora), uses_dora, "Use a method of dora" if theirs.use_dora else "Use one of lora"),
        ("rank", theirs.r, settings.rank, f"Set --rank {theirs.r}"),
        ("weight", theirs.lora_alpha, alpha, f"Set --alpha {theirs.lora_alpha:g}"),
        ("scale", bool(theirs.use_rslora), False, None),
        ("scale", dict(theirs.alpha_pattern or {}), {}, None),
    ):
        if found != wanted:
            raise _misfit(adapter, f"has another {name}", str(wanted), str(found), hint)
    own: dict[str, Any] = get_peft_model_state_dict(injected, save_embedding_layers=False)
    stored = adapter.tensors()
    shapes = [{name: tuple(tensor.shape) for name, tensor in weights.items()} for weights in (own, stored)]
    if shapes[0] != shapes[1]:
        wanted_shapes, found_shapes = shapes
        names = [name for name in found_shapes if name in wanted_shapes and found_shapes[name] != wanted_shapes[name]]
        if names:
            shown = [str(found_shapes[names[0]]), str(wanted_shapes[names[0]])]
            raise _misfit(adapter, f"does not fit the model in {names[0]}", shown[1], shown[0], None)
        layers = [sorted({_layer(name) for name in of}) for of in shapes]
        hint = f"Set --target-modules {','.join(layers[1])}"
        raise _misfit(adapter, "changes other layers", ", ".join(layers[0]), ", ".join(layers[1]), hint)
    set_peft_model_state_dict(injected, stored)


def _layer(name: str) -> str:
    """The last part of the name of the layer that a tensor belongs to."""
    return name.partition(".lora_")[0].rpartition(".")[2]


def _misfit(adapter: AdapterFolder, problem: str, expected: str, got: str, hint: str | None) -> ModelError:
    return ModelError(f"the adapter '{adapter.folder}' {problem}", expected=expected, got=got, where=_WHERE, hint=hint)
