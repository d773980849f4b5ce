"""The progress of a training on stderr: a bar on a terminal, lines elsewhere, warnings always."""

from __future__ import annotations

import io

import pytest

from phraseproof.alignment.loop.held_out import HeldOut
from phraseproof.cli.progress import ProgressBar
from phraseproof.cli.training_progress import TrainingBar
from phraseproof.training.log import StepReport

HELD_OUT = HeldOut(loss=1.5, ce=1.0, kl=0.5, accuracy=0.25, reference_accuracy=0.5, pairs=4)
STEP = StepReport(3, loss=1.23456, ce=0.5, kl=0.25, learning_rate=0.01)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


def test_an_evaluation_is_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with TrainingBar() as bar:
        bar.started(total=1200, done=0)
        bar.stepped(StepReport(0, held_out=HELD_OUT))
        bar.stepped(STEP)  # too soon after the last line, and without an evaluation
        bar.stepped(StepReport(1200, loss=1.0, other=0.125, held_out=HELD_OUT._replace(accuracy=1.0)))
    assert lines(capsys) == [
        "step 0 of 1,200: held-out accuracy 25.0%",
        "step 1,200 of 1,200: loss 1.0000, other 0.1250, held-out accuracy 100.0%",
    ]


def test_other_steps_are_lines_from_time_to_time(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("phraseproof.cli.progress.SECONDS_BETWEEN_LINES", 0.0)
    with TrainingBar() as bar:
        bar.started(total=20, done=0)
        bar.stepped(StepReport(0, held_out=HELD_OUT))
        bar.stepped(STEP._replace(seconds_left=150.0))
    (line,) = lines(capsys)[1:]
    assert line == "step 3 of 20: loss 1.2346, CE 0.5000, KL 0.2500, held-out accuracy 25.0%, about 2 min left"


def test_a_resumed_training_says_where_it_resumes(capsys: pytest.CaptureFixture[str]) -> None:
    with TrainingBar() as bar:
        bar.started(total=2000, done=1500)
    assert lines(capsys) == ["resuming after step 1,500 of 2,000"]


def test_quiet_prints_warnings_only(capsys: pytest.CaptureFixture[str]) -> None:
    with TrainingBar(quiet=True) as bar:
        bar.started(total=20, done=5)
        bar.stepped(StepReport(6, loss=1.0, held_out=HELD_OUT))
        bar.warned("few wordings")
    assert lines(capsys) == ["warning: few wordings"]


def test_a_terminal_shows_a_bar_with_the_losses(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    with TrainingBar() as bar:
        bar.started(total=20, done=2)
        bar.stepped(STEP)
        bar.warned("[bold]as it is[/bold]")
    shown = terminal.getvalue()
    assert "3/20" in shown
    assert "loss 1.2346, CE 0.5000, KL 0.2500" in shown
    assert "warning: [bold]as it is[/bold]" in shown
    assert "step 3 of" not in shown


@pytest.mark.parametrize("last", [20, 12])
def test_a_terminal_shows_one_bar_at_a_time(last: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A training that ends, early in one case, and an evaluation, as in `harden`, whose observers are two."""
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    with ProgressBar() as evaluation, TrainingBar() as training:
        training.started(total=20, done=0)
        training.stepped(STEP._replace(step=last))
        evaluation.started(total=10, done=0)
        between = len(terminal.getvalue())
        evaluation.noted("a remark")
        evaluation.advanced(10)
        training.noted("the next one")
        training.started(total=7, done=0)
    shown = terminal.getvalue()
    # A terminal hides the cursor while a bar is shown.
    cursor = [text for text in shown.split("\x1b") if text.startswith(("[?25l", "[?25h"))]
    assert [text[:5] for text in cursor] == ["[?25l", "[?25h"] * 3
    assert f"{last}/20" in shown[:between]
    assert f"{last}/20" not in shown[between:], "the bar of the training is over"


def test_a_finished_training_shows_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with TrainingBar() as bar:
        bar.started(total=20, done=20)
    assert terminal.getvalue() == "resuming after step 20 of 20\n"
