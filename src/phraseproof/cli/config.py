"""`phraseproof config`: the options of a run, as a config file."""

from __future__ import annotations

import typer

from phraseproof.cli.options import RunFolder


def config(run: RunFolder) -> None:
    """Print the options of a finished run as YAML that `evaluate --config` accepts."""
    from phraseproof.evaluation.config import config_of_run
    from phraseproof.store.local_copy import folder_to_read
    from phraseproof.store.run_file import read_run_file
    from phraseproof.store.urls import name_of

    folder = folder_to_read(run)
    typer.echo(config_of_run(read_run_file(folder), where=name_of(folder)), nl=False)
