"""`phraseproof copy`: a run to object storage, or from it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phraseproof.cli import terminal


def copy_run(
    source: Annotated[Path, typer.Argument(metavar="RUN", help="The run folder, or the URL of a run.")],
    target: Annotated[
        Path, typer.Argument(metavar="TO", help="A folder or URL with nothing in it, as s3://BUCKET/runs/NAME.")
    ],
) -> None:
    """Copy a run between folders and object storage (docs/object-storage.md). A copy is complete, or there is none."""
    from phraseproof.cli.stopping import stoppable
    from phraseproof.store import copy_run as copying
    from phraseproof.store.urls import url_of

    with stoppable():
        count = copying.copy_run(source, target, terminal.warn)
    terminal.note(f"{url_of(target) or target}: {count:,} files")
