"""MMLU (Hendrycks et al., 2021): 57 subjects of four-option questions, pooled into one task as in the paper, or apart.

`mmlu` is one task of 14,042 test questions (paper, section 3); `mmlu/SUBJECT` is one subject; `mmlu/*` is all 57 apart.
An example's id is `SUBJECT/ROW`, the row counted from 0 in the subject's published test file, so that it is the same
wherever the data comes from. Fields: `question`, and `subject` with spaces (`high school physics`). All text is kept
exactly as published. Few-shot demonstrations come from the `dev` split (five a subject) where it is present.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from phraseproof.core import Example, Kind, Task
from phraseproof.errors import FileError, TaskError, UsageError
from phraseproof.files import require_regular, unreadable
from phraseproof.tasks import TaskListing, hub

HUB_ID = "cais/mmlu"
CATEGORY = "MMLU"
LETTERS = ("A", "B", "C", "D")

SUBJECTS = (
    "abstract_algebra",
    "anatomy",
    "astronomy",
    "business_ethics",
    "clinical_knowledge",
    "college_biology",
    "college_chemistry",
    "college_computer_science",
    "college_mathematics",
    "college_medicine",
    "college_physics",
    "computer_security",
    "conceptual_physics",
    "econometrics",
    "electrical_engineering",
    "elementary_mathematics",
    "formal_logic",
    "global_facts",
    "high_school_biology",
    "high_school_chemistry",
    "high_school_computer_science",
    "high_school_european_history",
    "high_school_geography",
    "high_school_government_and_politics",
    "high_school_macroeconomics",
    "high_school_mathematics",
    "high_school_microeconomics",
    "high_school_physics",
    "high_school_psychology",
    "high_school_statistics",
    "high_school_us_history",
    "high_school_world_history",
    "human_aging",
    "human_sexuality",
    "international_law",
    "jurisprudence",
    "logical_fallacies",
    "machine_learning",
    "management",
    "marketing",
    "medical_genetics",
    "miscellaneous",
    "moral_disputes",
    "moral_scenarios",
    "nutrition",
    "philosophy",
    "prehistory",
    "professional_accounting",
    "professional_law",
    "professional_medicine",
    "professional_psychology",
    "public_relations",
    "security_studies",
    "sociology",
    "us_foreign_policy",
    "virology",
    "world_religions",
)


def listings() -> list[TaskListing]:
    """`mmlu`, `mmlu/*` and the 57 subjects."""
    source = f"hub {HUB_ID}"
    kind = Kind.MULTIPLE_CHOICE
    return [
        TaskListing("mmlu", kind, CATEGORY, source, "57 subjects pooled into one task of 14,042 questions"),
        TaskListing("mmlu/*", kind, CATEGORY, source, "the 57 subjects, one task each"),
        *(TaskListing(f"mmlu/{name}", kind, CATEGORY, source, _title(name)) for name in SUBJECTS),
    ]


def load(name: str, *, data_dir: Path | None, warn: Callable[[str], None]) -> list[Task]:
    """The task or tasks that `mmlu`, `mmlu/SUBJECT` or `mmlu/*` means.

    Raises:
        UsageError: an unknown subject.
        TaskError: a subject's data is not where it should be.
        FileError: a CSV file that does not hold question, four options and a letter on every row.
    """
    del warn  # MMLU is all there, or an error
    _, _, part = name.partition("/")
    if part and part != "*" and part not in SUBJECTS:
        close = get_close_matches(part, SUBJECTS, n=1)
        raise UsageError(
            f"MMLU has no subject {part!r}",
            hint=f"Did you mean 'mmlu/{close[0]}'?" if close else "`phraseproof tasks list` names all 57",
        )
    subjects = SUBJECTS if part in ("", "*") else (part,)
    tests, demonstrations, source = (
        _from_folder(data_dir, subjects)
        if data_dir is not None
        else _from_hub(subjects, "all" if part in ("", "*") else part)
    )
    if not part:
        return [_task("mmlu", SUBJECTS, tests, demonstrations, source)]
    return [_task(f"mmlu/{subject}", (subject,), tests, demonstrations, source) for subject in subjects]


def _task(
    name: str,
    subjects: Sequence[str],
    tests: dict[str, list[Example]],
    demonstrations: dict[str, list[Example]],
    source: str,
) -> Task:
    return Task(
        name=name,
        kind=Kind.MULTIPLE_CHOICE,
        category=CATEGORY,
        examples=tuple(example for subject in subjects for example in tests[subject]),
        demonstrations=tuple(example for subject in subjects for example in demonstrations.get(subject, ())),
        source=source,
    )


def _from_hub(subjects: Sequence[str], config: str) -> tuple[dict[str, list[Example]], dict[str, list[Example]], str]:
    place = hub.describe(HUB_ID, config=config, split="test")
    # Rows are grouped by subject in their published order, because ids are numbered within a subject.
    splits = [
        _by_subject(hub.load_rows(HUB_ID, config=config, split=split), split, f"hub {HUB_ID}, config {config}")
        for split in ("test", "dev")
    ]
    absent = [subject for subject in subjects if subject not in splits[0]]
    if absent:
        raise TaskError(f"no questions of {', '.join(absent)}", where=place)
    return splits[0], splits[1], place


def _by_subject(rows: Iterable[dict[str, Any]], split: str, place: str) -> dict[str, list[Example]]:
    grouped: dict[str, list[Example]] = defaultdict(list)
    for number, row in enumerate(rows):
        try:
            subject, question, choices, answer = (row[key] for key in ("subject", "question", "choices", "answer"))
        except KeyError as error:
            raise TaskError(
                f"the column {error.args[0]!r} is missing",
                expected="question, subject, choices, answer",
                got=", ".join(row),
                where=f"{place}, split {split}",
            ) from None
        if len(choices) != len(LETTERS) or answer not in range(len(LETTERS)):
            raise TaskError(
                "a row is not a four-option question",
                got=f"{len(choices)} options, answer {answer!r}",
                where=f"{place}, split {split}, row {number}",
            )
        grouped[subject].append(_example(subject, len(grouped[subject]), split, question, choices, answer))
    return grouped


def _from_folder(
    data_dir: Path, subjects: Sequence[str]
) -> tuple[dict[str, list[Example]], dict[str, list[Example]], str]:
    places = [data_dir, data_dir / "mmlu", data_dir / "test", data_dir / "mmlu" / "test"]
    folder = next((place for place in places if any((place / f"{name}_test.csv").is_file() for name in SUBJECTS)), None)
    if folder is None:
        raise TaskError(
            "no MMLU files found",
            expected="SUBJECT_test.csv (no header: question, A, B, C, D, letter)",
            where=str(data_dir),
            hint=f"Looked in {', '.join(str(place) for place in places)}",
        )
    absent = [subject for subject in subjects if not (folder / f"{subject}_test.csv").is_file()]
    if absent:
        files = ", ".join(f"{name}_test.csv" for name in absent)
        raise TaskError(
            f"{len(absent)} of {len(subjects)} MMLU files are missing: {files}",
            where=str(folder),
            hint="The subjects that are there can be named one by one, as in mmlu/anatomy",
        )
    tests = {subject: _read(folder / f"{subject}_test.csv", subject, "test") for subject in subjects}
    dev_folders = [folder, folder / "dev", folder.parent / "dev"]
    demonstrations = {
        subject: _read(place / f"{subject}_dev.csv", subject, "dev")
        for subject in subjects
        for place in dev_folders
        if (place / f"{subject}_dev.csv").is_file()
    }
    return tests, demonstrations, str(folder)


def _read(path: Path, subject: str, split: str) -> list[Example]:
    examples: list[Example] = []
    end_line = 0
    try:
        require_regular(path)
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            for row in reader:
                where, end_line = f"{path}:{end_line + 1}", reader.line_num
                if len(row) != 6 or row[5] not in LETTERS:
                    raise FileError(
                        "not an MMLU row",
                        expected="question, A, B, C, D, letter",
                        got=f"{len(row)} cells" + (f" ending in {row[5]!r}" if len(row) == 6 else ""),
                        where=where,
                    )
                answer = LETTERS.index(row[5])
                examples.append(_example(subject, len(examples), split, row[0], row[1:5], answer))
    except OSError as error:
        raise unreadable(path, error) from None
    except UnicodeDecodeError as error:
        raise FileError("not UTF-8 text", got=f"byte 0x{error.object[error.start]:02x}", where=str(path)) from None
    except csv.Error as error:
        raise FileError(f"not valid CSV: {error}", where=f"{path}:{end_line + 1}") from None
    if not examples:
        raise FileError("the file is empty", where=str(path))
    return examples


def _example(subject: str, row: int, split: str, question: str, choices: Sequence[str], answer: int) -> Example:
    return Example(
        id=f"{subject}/{row}" if split == "test" else f"{subject}/{split}/{row}",
        fields={"question": question, "subject": _title(subject)},
        choices=tuple(choices),
        option_scores=tuple(float(index == answer) for index in range(len(LETTERS))),
    )


def _title(subject: str) -> str:
    return subject.replace("_", " ")
