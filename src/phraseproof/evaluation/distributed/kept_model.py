"""The model of a worker, kept from one evaluation to the next, and the folders that were sent for it."""

from __future__ import annotations

import gc
import shutil
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

from phraseproof.core import Model, ModelIdentity
from phraseproof.errors import ModelError
from phraseproof.evaluation.distributed.messages import Setup
from phraseproof.evaluation.distributed.sent_folders import Fetch, SentFolder, unpack
from phraseproof.evaluation.workers import on_device
from phraseproof.models import ModelOptions, load_model


class KeptModel:
    """Loads the model of an evaluation, unless it is the one that was loaded last.

    Args:
        fetch: returns the data of the parts of folders that are sent.
    """

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._key: tuple[str, ModelOptions, ModelIdentity] | None = None
        self._model: Model | None = None
        self._unpacked: dict[tuple[Path, str | None, str | None], Path] = {}

    def of(self, setup: Setup) -> Model:
        """The model of an evaluation.

        Raises:
            ModelError: this machine finds another model under its name.
        """
        name, options = self._here(setup)
        options = on_device(options, setup.device)
        key = name, options, setup.identity
        if self._model is not None and self._key == key:
            return self._model
        self.drop()
        model = load_model(name, options)
        if model.identity != setup.identity:
            raise ModelError(
                f"the worker finds another model under the name {setup.share.model}",
                expected=_named(setup.identity),
                got=_named(model.identity),
                hint="Every machine has to find the same model, and --dtype says in which precision",
            )
        self._key, self._model = key, model
        return model

    def drop(self) -> None:
        """Free the memory of the model."""
        if self._model is not None:
            self._key = self._model = None
            gc.collect()  # a network holds itself in cycles

    def close(self) -> None:
        """Free the memory, and remove the folders that were sent."""
        self.drop()
        for folder in self._unpacked.values():
            shutil.rmtree(folder, ignore_errors=True)
        self._unpacked.clear()

    def _here(self, setup: Setup) -> tuple[str, ModelOptions]:
        """The name and options of the model on this machine: folders that are not here are those that were sent."""
        name, options = setup.share.model, setup.share.options
        for sent in setup.sent:
            if sent.path.is_dir():
                continue
            folder = self._folder(sent, setup.identity)
            if Path(name) == sent.path:
                name = str(folder)
                options = replace(options, args={**options.args, "stored_name": setup.identity.name})
            if options.adapter == sent.path:
                options = replace(options, adapter=folder)
            if "adapter" in options.args and Path(options.args["adapter"]) == sent.path:
                options = replace(options, args={**options.args, "adapter": str(folder)})
        return name, options

    def _folder(self, sent: SentFolder, identity: ModelIdentity) -> Path:
        key = sent.path, identity.revision, identity.adapter
        if key not in self._unpacked:
            folder = Path(mkdtemp(prefix="phraseproof-"))
            unpack(sent, folder, self._fetch)
            self._unpacked[key] = folder
        return self._unpacked[key]


def _named(identity: ModelIdentity) -> str:
    adapter = "" if identity.adapter is None else f", adapter {identity.adapter[:16]}"
    return f"revision {identity.revision} in {identity.dtype or 'its precision'}{adapter}"
