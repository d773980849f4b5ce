"""The files of the project itself, as plain data."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]


def pyproject() -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def read_yaml(path: str) -> Any:
    """A YAML file of the project."""
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def python_versions() -> list[str]:
    """The versions that the package says it supports."""
    classifiers: list[str] = pyproject()["project"]["classifiers"]
    prefix = "Programming Language :: Python :: "
    return [each.removeprefix(prefix) for each in classifiers if each.startswith(prefix)]


def make_targets() -> set[str]:
    """The targets of the Makefile."""
    return set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def made(text: str) -> set[str]:
    """The targets that a text names in commands `make a b`, in code or at the beginning of a line."""
    found: list[str] = re.findall(r"(?:^|`)make((?: [a-z][a-z-]*)+)", text, re.MULTILINE)
    return {target for targets in found for target in targets.split()}
