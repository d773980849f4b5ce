"""The reference pages hold every command with its options, every public name, and every field of the YAML files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer.main
from docs.building import cli_reference, python_reference, yaml_reference
from docs.building.blocks import ROOT

import phraseproof
from phraseproof.cli import app
from phraseproof.cli.schema import SchemaName, schema_of
from phraseproof.models import ModelOptions


def test_every_option_of_every_command_is_there_and_explained() -> None:
    pages = cli_reference.pages()
    root: Any = typer.main.get_command(app)
    assert len(pages) == len(root.commands) + 1
    for name, command in root.commands.items():
        page = pages[f"reference/cli/{name}.md"]
        assert f"[`{name}`]({name}.md)" in pages["reference/cli/index.md"]
        for member in getattr(command, "commands", {"": command}).values():
            for parameter in member.params:
                if getattr(parameter, "hidden", False):
                    continue
                shown = parameter.opts[0] if parameter.param_type_name == "option" else parameter.metavar
                assert re.search(rf"^`[^`\n]*{re.escape(shown)}(?![\w-])[^`\n]*`\n:   \S", page, re.MULTILINE), (
                    name,
                    shown,
                )


def test_an_option_as_it_is_shown() -> None:
    page = cli_reference.pages()["reference/cli/gate.md"]
    assert "`--max-spread STD`\n:   The largest allowed Std over a group's wordings.\n" in page
    assert "phraseproof gate runs/p --max-spread 5 --min-worst 60 --junit gate.xml" in page


def test_every_public_name_is_on_one_page() -> None:
    grouped = [name for _, names in python_reference.GROUPS.values() for name in names]
    assert sorted(grouped) == phraseproof.__all__
    pages = python_reference.pages()
    assert "::: phraseproof.evaluate\n" in pages["reference/python/evaluate.md"]


@pytest.mark.parametrize("name", SchemaName)
def test_every_field_is_there(name: SchemaName) -> None:
    page = yaml_reference.pages()[f"reference/yaml/{name}.md"]
    properties = schema_of(name)["properties"]
    assert isinstance(properties, dict)
    for field in properties:
        assert re.search(rf"^`{field}` \*.+\*\n:   \S", page, re.MULTILINE), field


def test_fields_as_they_are_shown() -> None:
    task = yaml_reference.pages()["reference/yaml/task.md"]
    assert "`name` *a text*\n:   The task's name" in task
    assert "    Required. Examples: `multi_class`." in task
    config = yaml_reference.pages()["reference/yaml/run.md"]
    assert "`num_fewshot` *a whole number or a list (a whole number)*" in config
    assert "`adapter` *a text*\n:   The folder of a PEFT adapter to attach to the model." in config


def test_defaults_as_they_are_shown() -> None:
    values = [None, 25, "auto", (0,), Path("runs/a"), SchemaName.TASK, ModelOptions(), _uri]
    shown = ["None", "25", "'auto'", "(0,)", "'runs/a'", "'task'", "ModelOptions(...)", "..."]
    assert [python_reference.shown_default(each) for each in values] == shown


def test_every_page_is_in_the_navigation() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2]
    named = set(re.findall(r": (\S+\.md)$", text, re.MULTILINE))
    assert {_uri(page) for page in (ROOT / "docs").rglob("*.md")} <= named


def _uri(page: Path) -> str:
    return page.relative_to(ROOT / "docs").as_posix()
