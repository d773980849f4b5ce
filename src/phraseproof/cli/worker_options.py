"""The options about workers that compute for a command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from phraseproof.cli.option_values import read_pairs
from phraseproof.cli.options import MODEL
from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.evaluation.distributed.worker_options import WorkerOptions

Workers = Annotated[
    str | None,
    typer.Option(
        metavar="local:N|ray[:ADDRESS]",
        help="Divide the work among workers of Ray: N on this machine, or those of a cluster (docs/workers.md).",
        show_default=False,
        rich_help_panel=MODEL,
    ),
]
WorkerArg = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=VALUE",
        help="What each worker gets: cpus, gpus, memory; count (the number of workers) and unit_tokens (the size of "
        "their units of work). May be repeated.",
        show_default=False,
        rich_help_panel=MODEL,
    ),
]

NoWorkers = Annotated[
    str | None, typer.Option("--workers", hidden=True, help="Is refused: one training is not divided among workers.")
]
"""Of commands that are one training; see `refuse_workers`."""


def refuse_workers(given: str | None, command: str) -> None:
    """Refuse workers where they could do nothing: the steps of one training follow one another.

    Raises:
        UsageError: they are given.
    """
    if given is not None:
        raise UsageError(
            f"{command} is one training, which workers cannot divide",
            where="--workers",
            hint="`accelerate launch` uses several GPUs for it; `harden --methods` and `study` with --workers do "
            "several trainings at the same time, and `evaluate --workers` measures the result",
        )


def worker_options(workers: str | None, args: Sequence[str] | None) -> WorkerOptions | None:
    """The options as one value; `None` where no workers are named.

    Raises:
        UsageError: they cannot be used as given.
    """
    from phraseproof.evaluation.distributed.worker_options import read_worker_options

    named = read_pairs(args or (), "--worker-arg")
    if workers is None:
        if named:
            raise UsageError("--worker-arg requires --workers", hint="Name them, as in --workers local:4")
        return None
    return read_worker_options(workers, named)
