"""One run at one number of demonstrations, as the page shows it."""

from __future__ import annotations

from pathlib import Path

from phraseproof.reports.build.runs import run_scores
from phraseproof.reports.html.views import lone_first, run_views
from phraseproof.store.queries import load_run
from support.report_runs import write_run


def test_each_number_of_demonstrations_is_a_view_whose_charts_have_ids_of_their_own(tmp_path: Path) -> None:
    run = load_run(write_run(tmp_path / "run", shots=(0, 3)))
    first, second = run_views(run, run_scores(run), 1)
    assert (first.id, second.id, first.run) == ("r1-k0", "r1-k3", 1)
    names = ("headline-chart", "strip-chart", "heat-1", "heat-2", "causes-chart")
    assert first.charts().keys() == {f"r1-k0-{name}" for name in names}
    assert [name for _, name in first.sections()][:3] == ["In short", "Every wording", "Task by wording"]
    assert ("r1-k0-representations", "Representations") not in first.sections()


def test_the_wording_of_a_first_group_of_one_is_in_use(tmp_path: Path) -> None:
    today = run_scores(load_run(write_run(tmp_path / "run", tasks={"t/x": "T"}, groups={"today": 1, "others": 3})))
    assert lone_first(today) == "today/w0"
    assert lone_first(run_scores(load_run(write_run(tmp_path / "two")))) is None
