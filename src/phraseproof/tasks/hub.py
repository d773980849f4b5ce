"""Data sets from the Hugging Face hub, through the `datasets` library; every error says what to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from phraseproof.errors import MissingExtraError, TaskError

LOCAL_COPY = "With a copy on disk, pass --data-dir"

_AS_PARQUET = "refs/convert/parquet"
"""The branch in which the hub keeps every public data set as Parquet files."""


def load_rows(
    hub_id: str, *, config: str | None, split: str, revision: str | None = None, hint: str = LOCAL_COPY
) -> list[dict[str, object]]:
    """The rows of one split, in order, as plain dictionaries.

    Args:
        hub_id: the data set's id as the hub has it, or a local folder laid out like a hub repository.
        hint: what the user can do if the hub cannot be reached.

    Raises:
        MissingExtraError: `datasets` is not installed.
        TaskError: the hub cannot be reached, or has no such data set, configuration or split.
    """
    try:
        import datasets
        from datasets.exceptions import DatasetNotFoundError, DatasetsError
    except ImportError:
        raise MissingExtraError("Loading tasks from the hub", extra="hf", package="datasets") from None
    place = describe(hub_id, config=config, split=split, revision=revision)
    try:
        try:
            loaded = datasets.load_dataset(hub_id, config, split=split, revision=revision)
        except RuntimeError:
            if revision is not None:
                raise
            # A data set that only comes as a script: the hub has its rows as Parquet files, a folder per configuration.
            loaded = datasets.load_dataset(hub_id, data_dir=config or "default", split=split, revision=_AS_PARQUET)
    except DatasetNotFoundError as error:
        raise TaskError("the hub has no such data set", got=_first_line(error), where=place, hint=hint) from None
    except (ValueError, RuntimeError, DatasetsError) as error:
        # An unknown configuration or split is a ValueError; a data set that only comes as a script, a RuntimeError.
        raise TaskError(
            "the data set cannot be loaded as asked", got=_first_line(error), where=place, hint=hint
        ) from None
    except OSError as error:  # every network failure of requests, httpx and huggingface_hub is an OSError
        raise TaskError("the hub cannot be reached", got=_first_line(error), where=place, hint=hint) from None
    return [dict(row) for row in cast(Iterable[dict[str, object]], loaded)]


def describe(hub_id: str, *, config: str | None, split: str, revision: str | None = None) -> str:
    """The text for a place on the hub in `Task.source` and in errors."""
    parts = [f"hub {hub_id}", *([f"config {config}"] if config else []), f"split {split}"]
    return ", ".join([*parts, *([f"revision {revision}"] if revision else [])])


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
