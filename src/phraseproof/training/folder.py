"""The folder of a training: which training it holds, and the lock that only one process has."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from phraseproof.errors import RunError
from phraseproof.installed import versions
from phraseproof.store.locks import ProcessLock
from phraseproof.store.processes import Process
from phraseproof.store.training_record import RECORD_FILE, read_record
from phraseproof.store.urls import require_no_url

if TYPE_CHECKING:
    from accelerate import Accelerator

LOCK_FILE = ".training.lock"

_PACKAGES = ("phraseproof", "torch", "transformers", "tokenizers", "accelerate", "peft", "safetensors")
_OTHER = {
    "base_model": "another base model",
    "pairs": "other pairs",
    "examples": "other examples",
    "settings": "other settings",
}
"""The sections of the record that identify a training, with the words for a difference in them."""

_WITHOUT_EFFECT = ("save_every", "save_every_seconds", "gradient_checkpointing")
"""Settings that do not change what is trained: a training may be resumed with others."""

PROCESSES = "processes"
"""The setting of a record that says how many processes there are: the number changes what is computed."""


def run_by(record: Mapping[str, object], processes: int, precision: str) -> dict[str, object]:
    """A training's record that also says how it is computed: both change the numbers.

    Args:
        record: its settings have `mixed_precision`.
        processes: how many there are.
        precision: the one in use, which Accelerate's configuration decides where the settings do not.
    """
    settings = dict(cast("Mapping[str, object]", record["settings"]))
    if settings["mixed_precision"] is None and precision != "no":
        settings["mixed_precision"] = precision
    return {**record, "settings": {**settings, PROCESSES: processes}}


def identifying(record: Mapping[str, object]) -> dict[str, dict[str, object]]:
    """The parts of a training's record that identify it: trainings that differ in nothing else are the same."""
    sections = {name: cast("Mapping[str, object]", record[name]) for name in _OTHER if name in record}
    return {
        name: {key: value for key, value in section.items() if key not in _WITHOUT_EFFECT}
        for name, section in sections.items()
    }


def check_folder(
    out: Path, record: Mapping[str, object], defaults: Mapping[str, object]
) -> Mapping[str, object] | None:
    """The record of this training in the folder; `None` if no training was started there.

    Args:
        out: the folder.
        record: of this training.
        defaults: of its settings: a record of an earlier release may lack some.

    Raises:
        RunError: the folder holds another training, or a model or adapter of another origin.
    """
    found = read_record(out)
    if found is None:
        for name in ("adapter_config.json", "config.json"):
            if (out / name).exists():
                raise RunError(
                    "the folder holds a model or adapter that phraseproof did not train",
                    expected=f"a folder without {name}, or with {RECORD_FILE}",
                    where=str(out),
                    hint="Give another --out",
                )
        return None
    stored, asked = identifying(found), identifying(record)
    for section, other in _OTHER.items():
        old, new = stored.get(section, {}), asked.get(section, {})
        if section == "settings":  # settings that an earlier release did not have are at their defaults there
            known = {**defaults, PROCESSES: 1}
            old = {**{key: known[key] for key in known.keys() & new.keys()}, **old}
        for key in sorted(old.keys() | new.keys()):
            if old.get(key) != new.get(key):
                raise RunError(
                    f"the folder holds a training with {other}: {key}",
                    expected=str(old.get(key)),
                    got=str(new.get(key)),
                    where=str(out),
                    hint="Give another --out, or the same settings as before to resume this training",
                )
    return found


@contextlib.contextmanager
def only_trainer(out: Path, accelerator: Accelerator) -> Generator[None]:
    """Lock the folder, so that two trainings do not overwrite each other; the main process locks it for all."""
    if not accelerator.is_main_process:
        yield
        return
    with locked(out):
        yield


@contextlib.contextmanager
def locked(out: Path) -> Generator[None]:
    """Make the folder of a training, and lock it for the length of the block.

    Raises:
        RunError: another process trains into it, it is a URL, or it cannot be created.
    """
    require_no_url(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"the folder cannot be created: {error.strerror or error}", where=str(out)) from None
    lock = ProcessLock(out / LOCK_FILE)
    if not lock.try_acquire():
        holder = lock.holder() or Process.unknown()
        raise RunError(
            f"another process is training into this folder: {holder.name}, since {holder.since}",
            where=str(out),
            hint="Give another --out, or wait for it"
            if holder.is_here
            else f"Give another --out; if that process has ended, remove {lock.holder_path}",
        )
    try:
        yield
    finally:
        lock.release(remove=True)


def environment() -> dict[str, str]:
    """The versions of Python and of the packages that a training uses."""
    return {"python": platform.python_version(), "platform": platform.platform()} | versions(_PACKAGES)
