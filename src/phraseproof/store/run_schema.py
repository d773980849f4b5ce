"""What readers rely on in `run.json`: the types of its sections, and a checksum over all of it.

Sections and fields that are not listed here may hold anything.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

RUN_CHECKSUM = "run_checksum"
"""The key of `run.json` with the CRC-32 of the other sections. Runs of earlier versions lack it."""

_Count = Annotated[int, Field(ge=0, le=2**62)]
_Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Whole = Annotated[int, Field(ge=-(2**62), le=2**62)]


def _about(text: str) -> Any:
    """What a section holds, for its schema."""
    return Field(description=text)


class _Section(BaseModel):
    """A mapping whose named fields have types; nothing is coerced from one type to another."""

    model_config = ConfigDict(strict=True, extra="allow")


class _CellEntry(_Section):
    model_config = ConfigDict(strict=True, extra="forbid")

    identity: str
    task: str
    category: str
    instruction: str
    group: str
    num_fewshot: _Count
    fewshot_seed: _Whole
    num_examples: _Count
    grid_examples: _Count | None = None
    scoring: str = ""
    metric: str = ""
    repeat: _Count = 0
    option_order: _Count = 0


class _ModelSettings(_Section):
    name: str = ""
    revision: str | None = None
    architecture: str | None = None
    dtype: str | None = None
    adapter: str | None = None
    settings: dict[str, str] = {}


class _Settings(_Section):
    model: _ModelSettings = _ModelSettings()
    scoring: str | None = None
    metric: str | None = None
    prompt_format: str | None = None
    limit: _Count | None = None
    seed: _Whole = 0


class _Sample(_Section):
    model_config = ConfigDict(strict=True, extra="forbid")

    limit: _Count | None
    seed: _Whole
    scoring: str = ""
    metric: str = ""
    sample: str = ""


class _Accuracy(_Section):
    model_config = ConfigDict(strict=True, extra="forbid")

    task: str
    category: str
    group: str
    instruction: str
    num_fewshot: _Count
    mean_score: Annotated[float, Field(allow_inf_nan=False)]
    num_examples: _Count | None


class _Task(_Section):
    kind: str = ""
    category: str = ""
    num_examples: _Count = 0
    content: str | None = None
    data: str | None = None


class _Instruction(_Section):
    text: str
    content: str | None = None


class _ModelFacts(_Section):
    parameters: _Count | None = None


class _Usage(_Section):
    scoring_cpu_s: float = 0.0
    wall_s: float = 0.0
    tokens_asked: _Whole = 0
    tokens_computed: _Whole = 0
    peak_rss_bytes: _Whole = 0


class _EnergyPart(_Section):
    kwh: _Amount
    source: str
    is_measured: bool


class _Energy(_Section):
    parts: dict[str, _EnergyPart]
    seconds: _Amount
    tracker: str
    pue: _Amount
    kg_co2: _Amount | None
    place: str
    no_co2: str = ""


class _Session(_Section):
    hardware: str
    precision: str
    batch: str
    wall_s: _Amount
    cpu_s: _Amount
    energy: _Energy | None = None
    no_energy: str = ""


class _RunFile(_Section):
    settings: Annotated[
        _Settings, _about("What all cells share: the model, the format of prompts, scoring, metric, sample.")
    ]
    cells: Annotated[
        list[_CellEntry], _about("The cells of the run: their names, and the identity that names their file.")
    ]
    samples: Annotated[
        dict[str, _Sample], _about("The samples, scorers and metrics of all evaluations into the run.")
    ] = {}
    accuracies: Annotated[
        dict[str, _Accuracy], _about("Of imported published results, which have no cells: accuracies per wording.")
    ] = {}
    groups: Annotated[
        dict[str, object] | list[str], _about("The groups of wordings, and the collections of each.")
    ] = {}
    tasks: Annotated[dict[str, _Task], _about("Kind, category, size and a hash of the data of each task.")] = {}
    instructions: Annotated[dict[str, _Instruction], _about("The text of every wording, by its name.")] = {}
    model: Annotated[_ModelFacts, _about("Facts about the model that change no score: its number of parameters.")] = (
        _ModelFacts()
    )
    usage: Annotated[_Usage, _about("Seconds, tokens and memory of all evaluations into the run.")] = _Usage()
    checksums: Annotated[dict[str, _Count], _about("The CRC-32 of every cell file.")] = {}
    environment: Annotated[dict[str, object], _about("Versions of Python, phraseproof and the libraries it uses.")] = {}
    accepted_edits: Annotated[
        list[str], _about("When edits of this file by hand were accepted, as ISO 8601 in UTC.")
    ] = []
    run_checksum: Annotated[
        _Count | None, _about("The CRC-32 of all other sections. A file that does not fit it is refused.")
    ] = None
    self_test: Annotated[dict[str, object], _about("What the self-test of the model found.")] = {}
    sessions: Annotated[dict[str, _Session], _about("Hardware, time and energy of each evaluation into the run.")] = {}
    spec: Annotated[
        dict[str, object], _about("The options of the last evaluation, as `phraseproof config` prints them.")
    ] = {}


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the sections of `run.json` that readers check. More sections may be in it."""
    return _RunFile.model_json_schema()


def checksum_of_content(content: Mapping[str, object]) -> int:
    """The CRC-32 of all sections but the checksum, whatever their order and layout in the file."""
    rest = {key: value for key, value in content.items() if key != RUN_CHECKSUM}
    return zlib.crc32(json.dumps(rest, sort_keys=True, ensure_ascii=True).encode())


def check_run_content(content: Mapping[str, object]) -> None:
    """Check the types of the sections that readers use.

    Raises:
        ValueError: one of them is not what it must be; its place is named.
    """
    try:
        _RunFile.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        message = first["msg"].replace("Input should", "it should", 1)
        raise ValueError(f"{place}: {message[:1].lower()}{message[1:]} (got {_short(first['input'])})") from None


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
