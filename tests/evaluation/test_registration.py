"""What registering a plan reports: edits, samples that grow, and cells that leave the run."""

from __future__ import annotations

from pathlib import Path

from support.growing_run import Listener, Model, evaluate, make_task


def test_wordings_that_are_not_named_leave_a_run_whose_sample_grows(tmp_path: Path) -> None:
    evaluate(tmp_path, Model(), wordings=2, limit=4)
    listener = Listener()
    run = evaluate(tmp_path, Model(), wordings=1, limit=9, observer=listener)
    assert [cell.instruction for cell in run.cells] == ["mine/w0"]
    (warning,) = listener.warnings
    assert warning.startswith(
        "the sample of examples changed, so 1 cell computed before leave this run: t under mine/w"
    )
    model = Model()
    evaluate(tmp_path, model, wordings=2, limit=9)
    assert len(model.asked) == 5, "its outcomes on the smaller sample are still there"


def test_a_sample_that_grows_is_not_called_an_edit_and_all_samples_are_listed(tmp_path: Path) -> None:
    evaluate(tmp_path, Model(), limit=4)
    listener = Listener()
    run = evaluate(tmp_path, Model(), limit=9, observer=listener)
    assert listener.warnings == []
    assert not any("computed again" in note for note in listener.notes)
    assert [(entry["limit"], entry["seed"]) for entry in run.content["samples"].values()] == [(4, 0), (9, 0)]


def test_cells_of_edited_data_that_are_not_named_again_leave_with_a_warning(tmp_path: Path) -> None:
    evaluate(tmp_path, Model(), wordings=4)
    listener = Listener()
    evaluate(tmp_path, Model(), wordings=1, task=make_task("!"), observer=listener)
    assert listener.notes[0] == "1 cell computed again: their data or wordings were edited"
    (warning,) = listener.warnings
    assert warning == (
        "data or wordings were edited, so 3 cells computed before leave this run: t under mine/w1, t under mine/w2, "
        "t under mine/w3. Name their wordings again to include them; "
        "stored outcomes are reused where nothing was edited"
    )


def test_long_lists_of_cells_are_cut(tmp_path: Path) -> None:
    evaluate(tmp_path, Model(), wordings=4, num_fewshot=(0, 2))
    listener = Listener()
    evaluate(tmp_path, Model(), wordings=1, task=make_task("!"), observer=listener)
    assert "7 cells computed before leave this run" in listener.warnings[0]
    assert " and 4 more. Name their wordings" in listener.warnings[0]
