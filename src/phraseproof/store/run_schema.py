"""What readers rely on in `run.json`: the types of its sections, and a checksum over all of it.

Sections and fields that are not listed here may hold anything.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

RUN_CHECKSUM = "run_checksum"
"""The key of `run.json` with the CRC-32 of the other sections. Runs of earlier versions lack it."""

_Count = Annotated[int, Field(ge=0, le=2**62)]
_Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Whole = Annotated[int, Field(ge=-(2**62), le=2**62)]


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
    settings: _Settings
    cells: list[_CellEntry]
    samples: dict[str, _Sample] = {}
    accuracies: dict[str, _Accuracy] = {}
    groups: dict[str, object] | list[str] = {}
    tasks: dict[str, _Task] = {}
    instructions: dict[str, _Instruction] = {}
    model: _ModelFacts = _ModelFacts()
    usage: _Usage = _Usage()
    checksums: dict[str, _Count] = {}
    environment: dict[str, object] = {}
    accepted_edits: list[str] = []
    run_checksum: _Count | None = None
    self_test: dict[str, object] = {}
    sessions: dict[str, _Session] = {}
    spec: dict[str, object] = {}


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
