"""Without the extra `hf`, a command that needs it is refused in one line; other missing modules are faults of ours."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
sys.modules[{module!r}] = None
from phraseproof.cli import main
main({arguments!r})
"""


def _run(module: str, *arguments: str) -> tuple[int, str]:
    program = PROGRAM.format(module=module, arguments=list(arguments))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stderr


@pytest.mark.parametrize("command", ["demo", "pocket"])
def test_a_command_that_needs_torch_says_what_to_install(command: str) -> None:
    rest = ["train", "--size", "tiny", "--out", "none"] if command == "pocket" else []
    code, err = _run("torch", command, *rest)
    assert code == 2
    assert err == (
        f"error: phraseproof {command} needs the package torch, which is not installed. "
        "Install it with: pip install 'phraseproof[hf]'\n"
    )


def test_a_package_without_a_module_is_not_said_to_be_missing() -> None:
    code, err = _run("transformers.pytorch_utils", "demo")
    assert code == 2
    assert err == (
        "error: phraseproof demo needs the module transformers.pytorch_utils, which the installed package transformers "
        "does not have. Install a version that has it with: pip install --upgrade 'phraseproof[hf]'\n"
    )


def test_another_missing_module_is_no_missing_extra() -> None:
    code, err = _run("phraseproof.pocket.demonstration", "demo")
    assert code == 1
    assert "ModuleNotFoundError" in err
