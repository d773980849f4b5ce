"""What `import phraseproof` promises: every public name is there and explained, and nothing heavy comes along."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys

import pytest

import phraseproof

HEAVY = ("torch", "transformers", "datasets", "duckdb", "pyarrow", "pydantic", "jinja2", "yaml", "scipy", "numpy")


def imported_by(code: str) -> set[str]:
    """The heavy packages that a fresh interpreter has loaded after running `code`."""
    report = f"import sys\n{code}\nprint('loaded:', *sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize("name", phraseproof.__all__)
def test_every_public_name_is_there_and_says_what_it_is(name: str) -> None:
    member = getattr(phraseproof, name)
    documentation = inspect.getdoc(member)
    assert documentation
    # A dataclass without a docstring gets its signature for one.
    assert not documentation.startswith(f"{name}(")
    assert name in dir(phraseproof)


def test_names_are_sorted_and_each_is_there_once() -> None:
    assert phraseproof.__all__ == sorted(set(phraseproof.__all__))


def test_public_functions_and_methods_are_documented() -> None:
    for name in phraseproof.__all__:
        member = getattr(phraseproof, name)
        if inspect.isclass(member):
            for attribute, value in vars(member).items():
                if not attribute.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
                    assert inspect.getdoc(value), f"{name}.{attribute}"


@pytest.mark.parametrize(
    "name", [name for name in phraseproof.__all__ if inspect.isfunction(getattr(phraseproof, name))]
)
def test_help_explains_every_parameter(name: str) -> None:
    function = getattr(phraseproof, name)
    documentation = inspect.getdoc(function) or ""
    for parameter in inspect.signature(function).parameters.values():
        assert parameter.kind not in {parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL}, "each option has a name"
        assert parameter.annotation is not parameter.empty, parameter
        assert re.search(rf"^    [\w, *]*\b{parameter.name}\b[\w, *]*: \S", documentation, re.MULTILINE), parameter
        # What help() shows of a default has to say what it is.
        assert " object at 0x" not in str(parameter), parameter


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'evalaute'"):
        phraseproof.evalaute  # noqa: B018 - reading it is the test


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert imported_by("import phraseproof, phraseproof.core, phraseproof.errors, phraseproof.identity") == set()


def test_the_command_line_loads_nothing_heavy() -> None:
    assert imported_by("import phraseproof.cli") == set()


def test_the_help_of_the_command_line_loads_nothing_heavy() -> None:
    code = """
import contextlib
from phraseproof.cli import main
with contextlib.suppress(SystemExit):
    main(["--help"])
"""
    assert imported_by(code) == set()


def test_the_scripted_model_needs_no_torch() -> None:
    code = "import phraseproof; phraseproof.load_model('scripted').identity"
    assert not imported_by(code) & {"torch", "transformers", "datasets"}
