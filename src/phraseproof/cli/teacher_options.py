"""The options of a teacher, which answers in place of given labels (`phraseproof.teaching`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from phraseproof.cli import options

TEACHER: Final = "Teacher"

# Names of teaching.teacher, repeated here so that `--help` does not import numpy.
TeacherName = Literal["reference", "best", "majority", "ensemble"]
TeacherAs = Literal["answers", "distribution"]
CalibrationName = Literal["none", "batch", "prior-matching"]
LabelsName = Literal["given", "none"]

Teacher = Annotated[
    TeacherName | None,
    typer.Option(
        help="Whose answers are the targets instead of the given ones: the reference wording's, those of the best "
        "wording on the labelled examples, of most wordings (majority), or of the mean probability over all wordings "
        "(ensemble). Requires --model.",
        rich_help_panel=TEACHER,
    ),
]
AnswersAs = Annotated[
    TeacherAs,
    typer.Option(
        "--teacher-as",
        help="What is written: the teacher's answer, or the probability of every option as well.",
        rich_help_panel=TEACHER,
    ),
]
Calibration = Annotated[
    CalibrationName | None,
    typer.Option(
        "--teacher-calibration",
        help="How the wordings' probabilities are corrected, without labels. Default: batch for ensemble, else none.",
        show_default=False,
        rich_help_panel=TEACHER,
    ),
]
Labelled = Annotated[
    int | None,
    typer.Option(
        "--labelled",
        help="The number of examples per task that keep their given answer. Default: 20 for --teacher best, none for "
        "other teachers, and all without a teacher.",
        show_default=False,
        rich_help_panel=TEACHER,
    ),
]
Labels = Annotated[
    LabelsName,
    typer.Option(
        help="Whether the task's answers are labels. none: they are placeholders, apart from those of --labelled "
        "examples, and nothing reads them.",
        rich_help_panel=TEACHER,
    ),
]
TeacherModel = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        help="The model that the teacher asks. Requires --teacher.",
        rich_help_panel=options.MODEL,
    ),
]
TeacherRun = Annotated[
    Path | None,
    typer.Option(
        "--teacher-run",
        metavar="DIR",
        help="The run folder of the teacher's answers. What it holds is not computed again. Default: the name of --out "
        "with the suffix .teacher.",
        show_default=False,
        rich_help_panel=TEACHER,
    ),
]
