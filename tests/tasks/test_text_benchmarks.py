"""The paper's free-text tasks, from small files in each published format and from a hub on disk."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from phraseproof.core import Kind, Task
from phraseproof.errors import PhraseproofError, TaskError, UsageError
from phraseproof.instructions.collections import instructions_for, load_collection
from phraseproof.instructions.template import check_against
from phraseproof.tasks import catalogue, load_tasks
from support.local_hub import LocalHub

ARTICLES = [
    {"id": "a1", "article": "The mill burned. Nobody was hurt.", "highlights": "Mill burned .\nNobody hurt ."},
    {"id": "a2", "article": "The bridge is open again. ", "highlights": "Bridge is open ."},
]
REPORTS = [
    {"id": "35232142", "document": "The mill burned.\nNobody was hurt.", "summary": "A mill has burned."},
    {"id": "40143035", "document": "The bridge is open again.", "summary": "A bridge is open."},
]
INTERVIEWS = [
    {
        "id": "NPR-1",
        "program": "Day to Day",
        "date": "2008-06-10",
        "url": "https://example.org/1",
        "title": "A Mill",
        "summary": "A miller talks about the fire.",
        "utt": ["Welcome.", "Thank you."],
        "speaker": ["MADELEINE BRAND, host", "Mr. MILLER"],
    },
    {
        "id": "CNN-2",
        "program": "Late Edition",
        "date": "2005-1-1",
        "summary": "The bridge is open.",
        "utt": ["Is it open?", "It is."],
        "speaker": ["WOLF", "ENGINEER"],
    },
]
SENTENCES = [
    {"translation": {"fr": "La maison est petite.", "de": "Das Haus ist klein."}},
    {"translation": {"fr": "Il pleut.", "de": "Es regnet."}},
]
ROWS: dict[str, list[dict[str, Any]]] = {
    "cnn_dailymail": ARTICLES,
    "xsum": REPORTS,
    "mediasum": INTERVIEWS,
    "wmt19_fr_de": SENTENCES,
}


def load(name: str, data_dir: Path | None = None) -> Task:
    (task,) = load_tasks([name], data_dir=data_dir)
    return task


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows), encoding="utf-8")
    else:
        path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")


def check(name: str, task: Task) -> None:
    """The task holds the rows above, whatever format they came in."""
    ids = {
        "cnn_dailymail": ["a1", "a2"],
        "xsum": ["35232142", "40143035"],
        "mediasum": ["NPR-1", "CNN-2"],
        "wmt19_fr_de": ["0", "1"],
    }
    first = {
        "cnn_dailymail": (ARTICLES[0]["article"], ARTICLES[0]["highlights"]),
        "xsum": (REPORTS[0]["document"], "A mill has burned."),
        "mediasum": ("MADELEINE BRAND, host: Welcome.\nMr. MILLER: Thank you.", "A miller talks about the fire."),
        "wmt19_fr_de": ("La maison est petite.", "Das Haus ist klein."),
    }
    assert [example.id for example in task.examples] == ids[name]
    assert (task.examples[0].fields["text"], task.examples[0].reference) == first[name]
    assert task.examples[1].fields["text"][-1] != " "
    is_translation = name == "wmt19_fr_de"
    assert task.kind is (Kind.TRANSLATION if is_translation else Kind.SUMMARIZATION)
    assert task.category == ("Translation" if is_translation else "Summarization")
    assert task.examples[0].fields.get("source_language") == ("French" if is_translation else None)
    assert task.examples[0].fields.get("target_language") == ("German" if is_translation else None)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("cnn_dailymail", "3.0.0/test-00000-of-00001.parquet"),
        ("cnn_dailymail", "cnn_dailymail/test.csv"),
        ("xsum", "xsum/default/test/0000.parquet"),
        ("xsum", "data/test-00000-of-00001.parquet"),
        ("xsum", "xsum/test.jsonl"),
        ("mediasum", "mediasum/test.json"),
        ("mediasum", "mediasum/mediasum/test/0000.parquet"),
        ("wmt19_fr_de", "wmt19/fr-de/validation-00000-of-00001.parquet"),
        ("wmt19_fr_de", "wmt19_fr_de/validation.jsonl"),
    ],
)
def test_local_files_in_their_published_formats(tmp_path: Path, name: str, path: str) -> None:
    write(tmp_path / path, ROWS[name])
    task = load(name, tmp_path)
    check(name, task)
    assert task.source == str(tmp_path / path)


def test_several_parquet_files_are_read_in_order(tmp_path: Path) -> None:
    for number in (1, 0):
        write(tmp_path / f"xsum/default/test-0000{number}-of-00002.parquet", [REPORTS[number]])
    check("xsum", load("xsum", tmp_path))


def test_mediasum_as_its_authors_publish_it_is_the_test_split(tmp_path: Path) -> None:
    other = {**INTERVIEWS[0], "id": "CNN-9"}
    write(tmp_path / "news_dialogue.json", [INTERVIEWS[1], other, INTERVIEWS[0]])
    splits = {"train": ["CNN-9"], "val": [], "test": ["NPR-1", "CNN-2"]}
    (tmp_path / "train_val_test_split.json").write_text(json.dumps(splits))
    check("mediasum", load("mediasum", tmp_path))
    (tmp_path / "train_val_test_split.json").write_text(json.dumps({"test": ["NPR-1", "X"]}))
    with pytest.raises(PhraseproofError, match=r"1 interviews of the test split are missing .got X"):
        load("mediasum", tmp_path)
    (tmp_path / "train_val_test_split.json").write_text("[]")
    with pytest.raises(PhraseproofError, match=r"train_val_test_split.json: no list of ids under 'test'"):
        load("mediasum", tmp_path)


def test_from_the_hub_by_the_published_ids_configurations_and_splits(local_hub: LocalHub) -> None:
    local_hub.add("abisee/cnn_dailymail", {"3.0.0": {"test": ARTICLES}})
    local_hub.add_script("EdinburghNLP/xsum", {"default": {"test": REPORTS}})
    local_hub.add_script("nbroad/mediasum", {"mediasum": {"test": INTERVIEWS}})
    local_hub.add("wmt/wmt19", {"fr-de": {"validation": SENTENCES}})
    for name in ROWS:
        check(name, load(name))
    assert local_hub.calls[0] == ("abisee/cnn_dailymail", "3.0.0", "test", None)
    assert local_hub.calls[-1] == ("wmt/wmt19", "fr-de", "validation", None)


def test_rows_without_a_text_or_reference_are_left_out_with_a_warning(tmp_path: Path) -> None:
    write(tmp_path / "test.jsonl", [*REPORTS, {"id": "3", "document": " ", "summary": "s"}])
    warned: list[str] = []
    (task,) = load_tasks(["xsum"], data_dir=tmp_path, warn=warned.append)
    check("xsum", task)
    assert warned == ["xsum: 1 of 3 rows have no text or no reference, and are left out"]


def test_what_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"no files of xsum found .expected test.parquet .*Looked in .*xsum, "):
        load("xsum", tmp_path)
    write(tmp_path / "test.jsonl", [{"id": "1", "document": "d"}])
    with pytest.raises(TaskError, match=r"test.jsonl, row 0: the column 'summary' is missing .*got id, document"):
        load("xsum", tmp_path)
    write(tmp_path / "mediasum/test.jsonl", [{**INTERVIEWS[0], "utt": ["a"]}])
    with pytest.raises(TaskError, match=r"row 0: a row is not one of mediasum"):
        load("mediasum", tmp_path)
    with pytest.raises(UsageError, match=r"the task 'xsum' has no parts .got xsum/one"):
        load("xsum/one", tmp_path)


def test_they_are_listed_once_and_the_composed_wordings_serve_them(tmp_path: Path) -> None:
    names = [listing.name for listing in catalogue()]
    assert [name for name in names if name in ROWS] == list(ROWS)
    assert len(set(names)) == len(names)
    for name, count in (("mediasum", 20), ("wmt19_fr_de", 10)):
        split = "validation" if name == "wmt19_fr_de" else "test"
        write(tmp_path / f"{name}/{split}.jsonl", ROWS[name])
        task = load(name, tmp_path)
        wordings = instructions_for(load_collection("composed"), task)
        assert len(wordings) == count
        for wording in wordings:
            check_against(wording, task)
