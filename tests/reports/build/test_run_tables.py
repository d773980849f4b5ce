"""Tables before any format: what they hold, and their titles."""

from __future__ import annotations

from phraseproof.analysis.ranking import Mark
from phraseproof.reports.build.run_tables import RunScores, task_tables, title, wording_tables
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from support.other_metrics import ERRORS
from support.table_samples import scores


def test_the_title_has_the_last_part_of_a_model_folder() -> None:
    (table,) = task_tables(
        [RunScores("r", "/root/models/smollm2", scores({"t/x": {"g": [0.5, 0.6]}}), metric=ACCURACY)]
    )
    assert title(table) == "smollm2, 0-shot"


def test_the_lowest_score_is_the_best_where_less_is_better() -> None:
    run = RunScores("r", "m", scores({"t/x": {"g": [3.0, 1.0, 2.0]}}), metric=ERRORS)
    (table,) = wording_tables([run])
    (ranking,) = table.rankings
    assert [(each.score.mean_score, each.mark) for each in ranking.wordings] == [
        (1.0, Mark.BEST),
        (2.0, None),
        (3.0, Mark.WORST),
    ]
