"""What a gate found."""

from pathlib import Path

from phraseproof.reports.gate.limits import Limits
from phraseproof.reports.gate.result import gate_run
from phraseproof.store.queries import load_run
from support.report_runs import TASKS, write_run


def test_broken_limits_are_listed(tmp_path: Path) -> None:
    run = load_run(write_run(tmp_path / "a"))
    found = gate_run(run, Limits(min_mean=100.0))
    assert not found
    assert found.broken
    assert all(not check.is_kept for check in found.broken)
    assert repr(found).startswith("GateResult: ")
    assert found.to_dict()["notes"] == []
    assert gate_run(run, Limits(min_mean=0.0)).passed


def test_tasks_that_only_the_other_run_has_are_named(tmp_path: Path) -> None:
    run = load_run(write_run(tmp_path / "a", tasks=dict(list(TASKS.items())[:2])))
    other = load_run(write_run(tmp_path / "b"))
    (warning,) = gate_run(run, Limits(margin=100.0), other=other).warnings
    assert "1 task of" in warning
    assert "tone/polite" in warning
