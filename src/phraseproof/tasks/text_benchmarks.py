"""The paper's free-text tasks: summaries of CNN/DailyMail, XSum and MediaSum, and WMT19's translations from French.

Each comes from the hub, or with a data directory from the same files on disk: Parquet as the hub has it, or a table in
CSV, JSON or JSON Lines with the same columns. MediaSum also comes as its authors publish it, as one JSON file of
all interviews and one that names the splits. `text` is what a wording shows; translations also have the languages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast

from phraseproof.core import Example, Kind, Task
from phraseproof.errors import FileError, TaskError, UsageError
from phraseproof.files import load_json
from phraseproof.tasks import TaskListing, hub
from phraseproof.tasks.json_tables import stream_json
from phraseproof.tasks.tables import read_table

SUMMARIZATION, TRANSLATION = "Summarization", "Translation"
"""Categories: the rows of the paper's Table 4."""

_LANGUAGES = {"fr": "French", "de": "German"}
_INTERVIEWS, _SPLITS = "news_dialogue.json", "train_val_test_split.json"
"""MediaSum's files as its authors publish them."""

Row = Mapping[str, object]


class TextBenchmark(NamedTuple):
    """One data set.

    Attributes:
        name: the task's name, and that of its folder in a data directory.
        hub_id, config, split: the place on the hub.
        columns: what a row must have.
        example: the id (`None`: the row's number), the fields and the reference of a row.
    """

    name: str
    kind: Kind
    category: str
    hub_id: str
    config: str | None
    split: str
    about: str
    columns: tuple[str, ...]
    example: Callable[[Row], tuple[str | None, dict[str, str], str]]


def _summary_of(text: str, summary: str) -> Callable[[Row], tuple[str | None, dict[str, str], str]]:
    return lambda row: (str(row["id"]), {"text": _stripped(row[text])}, _stripped(row[summary]))


def _interview(row: Row) -> tuple[str | None, dict[str, str], str]:
    """One line per turn, with its speaker."""
    speakers, turns = (cast("Sequence[object]", row[name]) for name in ("speaker", "utt"))
    lines = [f"{_stripped(speaker)}: {_stripped(turn)}" for speaker, turn in zip(speakers, turns, strict=True)]
    return str(row["id"]), {"text": "\n".join(lines)}, _stripped(row["summary"])


def _translation(row: Row) -> tuple[str | None, dict[str, str], str]:
    texts = cast("Mapping[str, object]", row["translation"])
    fields = {"text": _stripped(texts["fr"]), "source_language": _LANGUAGES["fr"], "target_language": _LANGUAGES["de"]}
    return None, fields, _stripped(texts["de"])


def _stripped(value: object) -> str:
    return "" if value is None else str(value).strip()


BENCHMARKS = (
    TextBenchmark(
        "cnn_dailymail",
        Kind.SUMMARIZATION,
        SUMMARIZATION,
        "abisee/cnn_dailymail",
        "3.0.0",
        "test",
        "news articles and their highlights",
        ("id", "article", "highlights"),
        _summary_of("article", "highlights"),
    ),
    TextBenchmark(
        "xsum",
        Kind.SUMMARIZATION,
        SUMMARIZATION,
        "EdinburghNLP/xsum",
        None,
        "test",
        "BBC articles and a sentence on each",
        ("id", "document", "summary"),
        _summary_of("document", "summary"),
    ),
    TextBenchmark(
        "mediasum",
        Kind.SUMMARIZATION,
        SUMMARIZATION,
        "nbroad/mediasum",
        "mediasum",
        "test",
        "interviews of NPR and CNN and their topics",
        ("id", "speaker", "utt", "summary"),
        _interview,
    ),
    TextBenchmark(
        "wmt19_fr_de",
        Kind.TRANSLATION,
        TRANSLATION,
        "wmt/wmt19",
        "fr-de",
        "validation",
        "sentences on European elections, French to German",
        ("translation",),
        _translation,
    ),
)


def listings() -> list[TaskListing]:
    """The four tasks."""
    return [TaskListing(each.name, each.kind, each.category, f"hub {each.hub_id}", each.about) for each in BENCHMARKS]


def load(name: str, *, data_dir: Path | None, warn: Callable[[str], None]) -> list[Task]:
    """The task of that name.

    Raises:
        UsageError: a part of a task is named; these have none.
        TaskError: the data is not where it should be, or its rows lack something.
        FileError: a file that cannot be read.
    """
    found = next((each for each in BENCHMARKS if each.name == name), None)
    if found is None:
        raise UsageError(f"the task {name.partition('/')[0]!r} has no parts", got=name)
    rows, place = _from_hub(found) if data_dir is None else _from_folder(found, data_dir)
    examples = tuple(_examples(found, rows, place))
    if lost := len(rows) - len(examples):
        warn(f"{name}: {lost} of {len(rows)} rows have no text or no reference, and are left out")
    if not examples:
        raise TaskError("no row has a text and a reference", where=place)
    return [Task(name, found.kind, found.category, examples, source=place)]


def _from_hub(benchmark: TextBenchmark) -> tuple[list[dict[str, object]], str]:
    hub_id, config, split = benchmark.hub_id, benchmark.config, benchmark.split
    return hub.load_rows(hub_id, config=config, split=split), hub.describe(hub_id, config=config, split=split)


def _from_folder(benchmark: TextBenchmark, data_dir: Path) -> tuple[list[dict[str, object]], str]:
    """The rows of a local copy, and its place."""
    folders = [data_dir / benchmark.name, data_dir / benchmark.hub_id.partition("/")[2], data_dir]
    for folder in dict.fromkeys(folders):
        if benchmark.name == "mediasum" and (folder / _INTERVIEWS).is_file():
            return _published_mediasum(folder), str(folder / _INTERVIEWS)
        if files := _files_of_split(folder, benchmark):
            rows = [row for file in files for row in read_table(file, where=str(folder)).rows]
            return rows, ", ".join(map(str, files))
    published = f", or {_INTERVIEWS} and {_SPLITS}" if benchmark.name == "mediasum" else ""
    raise TaskError(
        f"no files of {benchmark.name} found",
        expected=f"{benchmark.split}.parquet (or .csv, .json, .jsonl), or the hub's {benchmark.split}-*.parquet"
        f"{published}",
        where=str(data_dir),
        hint=f"Looked in {', '.join(map(str, dict.fromkeys(folders)))}",
    )


def _files_of_split(folder: Path, benchmark: TextBenchmark) -> list[Path]:
    """The files of a split: one table, or the hub's Parquet files, also in the folder of the configuration."""
    split = benchmark.split
    names = [f"{split}{end}" for end in (".parquet", ".csv", ".json", ".jsonl")]
    for place in (folder, folder / (benchmark.config or "default"), folder / "data"):
        for pattern in (f"{split}-*-of-*.parquet", f"{split}/*.parquet", *names):
            if files := sorted(place.glob(pattern)):
                return files
    return []


def _published_mediasum(folder: Path) -> list[dict[str, object]]:
    """The interviews of the test split, in the order of the file of splits."""
    splits = load_json(folder / _SPLITS)
    ids = cast("Mapping[str, object]", splits).get("test") if isinstance(splits, dict) else None
    if not isinstance(ids, list):
        raise FileError("no list of ids under 'test'", where=str(folder / _SPLITS))
    names = [str(each) for each in cast("list[object]", ids)]
    # The file has 463,600 interviews in four gigabytes, of which a split is a small part.
    wanted = set(names)
    by_id = {str(row.get("id")): row for row in stream_json(folder / _INTERVIEWS) if str(row.get("id")) in wanted}
    if absent := [name for name in names if name not in by_id]:
        raise FileError(
            f"{len(absent)} interviews of the test split are missing", got=absent[0], where=str(folder / _INTERVIEWS)
        )
    return [by_id[name] for name in names]


def _examples(benchmark: TextBenchmark, rows: Sequence[Row], place: str) -> Iterable[Example]:
    for number, row in enumerate(rows):
        try:
            id_, fields, reference = benchmark.example(row)
        except KeyError as error:
            raise TaskError(
                f"the column {error.args[0]!r} is missing",
                expected=", ".join(benchmark.columns),
                got=", ".join(row),
                where=f"{place}, row {number}",
            ) from None
        except (TypeError, ValueError) as error:
            raise TaskError(f"a row is not one of {benchmark.name}: {error}", where=f"{place}, row {number}") from None
        if fields["text"] and reference:
            yield Example(str(number) if id_ is None else id_, fields, reference=reference)
