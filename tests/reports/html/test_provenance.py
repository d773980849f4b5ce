"""Where a run came from."""

from pathlib import Path

from phraseproof.reports.html.provenance import provenance
from phraseproof.store.queries import load_run
from support.report_runs import write_run


def test_the_command_tasks_and_settings_are_shown(tmp_path: Path) -> None:
    found = provenance(load_run(write_run(tmp_path / "a")))
    assert found.command == "phraseproof evaluate --model org/model"
    assert [task[0] for task in found.tasks] == ["kb/colours", "kb/shapes", "tone/polite"]
    assert found.cells[0] == 3 * 7
