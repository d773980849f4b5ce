"""Groups of commands: without a command they print their help to stderr."""

from __future__ import annotations

import pytest

from phraseproof.cli import main


@pytest.mark.parametrize("arguments", [[], ["tasks"], ["instructions"]], ids=" ".join)
def test_a_command_without_its_verb_shows_help_and_no_error(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.strip().startswith("Usage: ")
    assert "error" not in captured.err
