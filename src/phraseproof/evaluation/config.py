"""Config files: an `EvaluationSpec` as YAML, read for `evaluate --config` and written for a finished run."""

from __future__ import annotations

from pathlib import Path

import yaml

from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.evaluation.stored_spec import spec_of_run
from phraseproof.store.run_file import RunContent
from phraseproof.typed_yaml import parse
from phraseproof.yaml_document import load


def read_config(path: Path) -> EvaluationSpec:
    """The spec in a YAML file. Fields that the file leaves out have their defaults.

    Paths in the file are relative to the current folder, as on the command line.

    Raises:
        FileError: the file cannot be read, or a value in it does not fit; names the line and the field.
    """
    return parse(load(path), path, EvaluationSpec)


def config_of_run(content: RunContent, *, where: str = "") -> str:
    """The spec of a finished run as YAML that `read_config` reads; what is unknown is said in comments.

    Args:
        content: as `store.run_file.read_run_file` returns it.
        where: the run folder, for the first line.
    """
    found = spec_of_run(content)
    lines = [
        f"# The evaluation in {where}" if where else "# An evaluation",
        *(f"# Note: {note}" for note in found.unknown),
    ]
    text = yaml.safe_dump(found.data, sort_keys=False, allow_unicode=True, width=120)
    return "\n".join(lines) + "\n" + text
