"""`phraseproof schema`: JSON Schemas of the YAML files that phraseproof reads, for editors and validators."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class SchemaName(StrEnum):
    """The kinds of file that have a schema."""

    TASK = "task"
    COLLECTION = "collection"
    RUN = "run"


def schema(
    of: Annotated[
        SchemaName,
        typer.Argument(
            metavar="FILE",
            help="task (a task file), collection (a collection of wordings) or run (a file for evaluate --config).",
            show_default=False,
        ),
    ],
) -> None:
    """Print the JSON Schema (draft 2020-12) of a kind of YAML file."""
    import json

    typer.echo(json.dumps(schema_of(of), indent=2, ensure_ascii=False))


def schema_of(name: SchemaName) -> dict[str, object]:
    """The schema of a kind of file."""
    if name is SchemaName.TASK:
        from phraseproof.tasks.user_files import json_schema
    elif name is SchemaName.COLLECTION:
        from phraseproof.instructions.collections import json_schema
    else:
        from phraseproof.evaluation.spec_schema import json_schema
    return json_schema()
