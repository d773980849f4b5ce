"""What CONTRIBUTING.md, SECURITY.md and the policy of versions name exists."""

from __future__ import annotations

import re
from importlib import import_module

import pytest

from phraseproof.cli.examples import EXAMPLES
from support.project_files import ROOT, made, make_targets, pyproject

PAGES = ["CONTRIBUTING.md", "SECURITY.md", "docs/versioning.md"]


def _text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_files_exist(page: str) -> None:
    paths: list[str] = re.findall(r"`((?:src|tests|docs|benchmarks|examples|tools|\.github)/[^`\s]*)`", _text(page))
    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert page != "CONTRIBUTING.md" or len(paths) > 40


@pytest.mark.parametrize("page", PAGES)
def test_targets_and_commands_exist(page: str) -> None:
    assert made(_text(page)) <= make_targets()
    commands: list[str] = re.findall(r"`phraseproof ([a-z][a-z-]*(?: [a-z][a-z-]*)?)", _text(page))
    assert [each for each in commands if each not in EXAMPLES and each.split()[0] not in EXAMPLES] == []


def test_every_registry_that_is_named_is_in_its_file() -> None:
    entries: list[tuple[str, str]] = re.findall(r"`([A-Z_]{5,})`[^`]*of `src/([^`]+)\.py`", _text("CONTRIBUTING.md"))
    assert len(entries) >= 4
    for name, path in entries:
        assert hasattr(import_module(path.replace("/", ".").removesuffix(".__init__")), name), (name, path)


def test_every_group_of_entry_points_is_named() -> None:
    comment = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    groups = set(re.findall(r"#   ?((?:phraseproof\.\w+,? ?)+)", comment))
    names = {name for line in groups for name in re.findall(r"phraseproof(\.\w+)", line)}
    assert len(names) == 7
    assert all(name in _text("CONTRIBUTING.md") for name in names)


def test_every_extra_has_its_place_in_the_package_check() -> None:
    from tools.package_uses import NOT_INSTALLED, USES

    extras = pyproject()["project"]["optional-dependencies"].keys()
    assert extras == {*filter(None, USES), *NOT_INSTALLED}
