"""Measured outcomes of a model as one small file, which holds no text of a benchmark.

A row is an example of a task under a wording: the values that the model gives its options, and whether the choice was
right, as it is and calibrated on other examples. Examples have ids only, and classes of options are hashes of their
names, so that a file can be kept where the benchmarks' texts cannot. The metadata say what the model and its training
were.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from phraseproof.analysis.calibrated import cross_fitted
from phraseproof.analysis.option_values import NO_CLASS, OptionValues, scores
from phraseproof.files import replacing
from phraseproof.identity import content_hash

SCORING = "loglikelihood"
_RECORD = b"record"
_HASH_DIGITS = 6
_SCHEMA = pa.schema(
    {
        "set": pa.string(),
        "category": pa.string(),
        "task": pa.string(),
        "wording": pa.string(),
        "example": pa.string(),
        "class_names": pa.string(),
        "by_position": pa.bool_(),
        "classes": pa.list_(pa.int8()),
        "credits": pa.list_(pa.float32()),
        "values": pa.list_(pa.float32()),
        "score": pa.float32(),
        "calibrated_score": pa.float32(),
    }
)


class Outcomes(NamedTuple):
    """What a file holds.

    Attributes:
        record: the model and its training, as JSON data.
        sets: by name of a set the values of its tasks, in the order of their names; wordings and examples are sorted.
    """

    record: Mapping[str, Any]
    sets: Mapping[str, tuple[OptionValues, ...]]


def write_outcomes(path: Path, found: Outcomes, calibration: str) -> None:
    """Write a file that `read_outcomes` reads.

    Args:
        path: of the file.
        found: one row for each wording, without demonstrations.
        calibration: the method of the calibrated scores.
    """
    rows = [row for name, tasks in found.sets.items() for of in tasks for row in _rows(name, of, calibration)]
    rows.sort(key=lambda row: (list(found.sets).index(row["set"]), row["task"], row["wording"], row["example"]))
    table = pa.Table.from_pylist(rows, schema=_SCHEMA.with_metadata({_RECORD: json.dumps(found.record)}))
    values = "values.list.element"
    repeated: Any = [name for name in _SCHEMA.names if name != "values"]  # pyarrow's stubs know a truth value only
    with replacing(path) as unfinished:
        pq.write_table(
            table,
            unfinished,
            compression="zstd",
            compression_level=19,
            use_dictionary=repeated,
            column_encoding={values: "BYTE_STREAM_SPLIT"},
            write_statistics=False,
        )


def _rows(name: str, of: OptionValues, calibration: str) -> Iterator[dict[str, Any]]:
    right, calibrated = scores(of.values, of), scores(cross_fitted(of, calibration), of)
    for row, wording in enumerate(of.wordings):
        names = "|".join(content_hash(each)[:_HASH_DIGITS] for each in of.class_names[row])
        for column, example in enumerate(of.examples):
            is_there = of.has_option[column]
            yield {
                "set": name,
                "category": of.category,
                "task": of.task,
                "wording": wording,
                "example": example,
                "class_names": names,
                "by_position": of.by_position[row],
                "classes": of.classes[row, column][is_there].tolist(),
                "credits": of.credits[column][is_there].tolist(),
                "values": of.values[row, column][is_there].tolist(),
                "score": float(right[row, column]),
                "calibrated_score": float(calibrated[row, column]),
            }


def read_record(path: Path) -> Mapping[str, Any]:
    """What the model and its training were."""
    return json.loads(pq.read_schema(path).metadata[_RECORD])


def read_outcomes(path: Path) -> Outcomes:
    """The content of a file. Groups of wordings have the set's name, and cells no identity."""
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    sets: dict[str, list[OptionValues]] = {}
    for (name, _), of_task in groupby(rows, key=lambda row: (row["set"], row["task"])):
        sets.setdefault(name, []).append(_values(name, list(of_task)))
    return Outcomes(read_record(path), {name: tuple(tasks) for name, tasks in sets.items()})


def _values(name: str, rows: Sequence[Mapping[str, Any]]) -> OptionValues:
    by_wording = [list(of) for _, of in groupby(rows, key=lambda row: row["wording"])]
    firsts = [of[0] for of in by_wording]
    count = max(len(row["values"]) for row in rows)

    def grid(column: str, filler: float, cells: Sequence[Sequence[Mapping[str, Any]]]) -> np.ndarray[Any, Any]:
        return np.array([[row[column] + [filler] * (count - len(row[column])) for row in of] for of in cells])

    credit = grid("credits", np.nan, by_wording[:1])[0].astype(float)
    return OptionValues(
        firsts[0]["task"],
        firsts[0]["category"],
        0,
        groups=(name,) * len(firsts),
        wordings=tuple(row["wording"] for row in firsts),
        seeds=(0,) * len(firsts),
        identities=("",) * len(firsts),
        examples=tuple(row["example"] for row in by_wording[0]),
        values=grid("values", -np.inf, by_wording).astype(float),
        has_option=~np.isnan(credit),
        credits=np.nan_to_num(credit),
        classes=grid("classes", NO_CLASS, by_wording).astype(np.intp),
        class_names=tuple(tuple(row["class_names"].split("|")) for row in firsts),
        by_position=tuple(row["by_position"] for row in firsts),
        scoring=SCORING,
    )
