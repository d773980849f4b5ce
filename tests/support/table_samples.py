"""Runs for the tests of tables: a plain one whose numbers are easy, and one that attacks every format."""

from phraseproof.reports.build.run_tables import RunScores
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from phraseproof.store.queries import WordingScore

# One of everything that some format would take for its own.
NASTY = "[red]a|b[/red] *c* _d_ `e` $f_1$ ^{g} \\h & #i % ~j <b>k</b> \"l\" 'm' -- n \x1b[31mo"
FORMULA = "=1+2+cmd|' /C calc'!A0"


def scores(values: dict[str, dict[str, list[float]]], *, shots: int = 0) -> list[WordingScore]:
    """From `{"category/task": {group: [one a wording]}}`."""
    return [
        WordingScore(task, task.split("/", maxsplit=1)[0], group, f"{group}/{number}", shots, value, 100)
        for task, groups in values.items()
        for group, of_group in groups.items()
        for number, value in enumerate(of_group)
    ]


VALUES = {
    "qa/one": {"observed": [0.50, 0.52, 0.57], "unobserved": [0.40, 0.50]},
    "qa/two": {"observed": [0.70, 0.74], "unobserved": [0.60, 0.66, 0.72]},
    "bc/one": {"observed": [0.90, 0.80], "unobserved": [0.85, 0.95]},
}
RUN = RunScores(
    "runs/base",
    "org/model",
    scores(VALUES),
    {
        (task, wording): text
        for task in VALUES
        for wording, text in (("observed/0", "Say which."), ("observed/1", FORMULA))
    },
    metric=ACCURACY,
)
HOSTILE = RunScores(
    NASTY,
    NASTY,
    [
        WordingScore(f"{NASTY} {task}", NASTY, f"{NASTY} {group}", f"{NASTY}/{number}", 0, value, 10)
        for task in range(2)
        for group in range(2)
        for number, value in enumerate((0.25, 0.5 + group / 10 + task / 20))
    ],
    {
        (f"{NASTY} {task}", f"{NASTY}/{number}"): text
        for task in range(2)
        for number, text in enumerate((f"{NASTY}\nsecond line", FORMULA))
    },
    metric=ACCURACY,
)
