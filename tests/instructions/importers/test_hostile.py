"""Files that want more than to be read: refused in one line, and nothing in them runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from phraseproof.errors import FileError, PhraseproofError
from phraseproof.instructions.importers import SOURCES, find

HEAD = "dataset: shop\ntemplates:\n  a: !Template\n    name: a\n    answer_choices: null\n    jinja: "
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(10)
)


def trap(folder: Path) -> tuple[Path, str]:
    """A file that must not come to be, and Python that would make it."""
    path = folder / "sprung"
    return path, f"open({str(path)!r}, 'w').close()"


@pytest.mark.parametrize(
    "text",
    [
        "dataset: !!python/object/apply:os.system ['touch {trap}']\ntemplates: {{}}\n",
        "dataset: !!python/object/new:os.system ['touch {trap}']\ntemplates: {{}}\n",
        "dataset: !!python/name:os.system\ntemplates: {{}}\n",
        "dataset: !!python/module:os\ntemplates: {{}}\n",
        "!!python/object:promptsource.templates.Template {{}}\n",
        "dataset: x\ntemplates: !function os.system\n",
    ],
)
@pytest.mark.parametrize("source", ["promptsource", "lm-eval"])
def test_tags_that_would_construct_objects(tmp_path: Path, source: str, text: str) -> None:
    sprung, _ = trap(tmp_path)
    path = tmp_path / "templates.yaml"
    path.write_text(text.format(trap=sprung), encoding="utf-8")
    with pytest.raises(PhraseproofError) as caught:
        find(source, path)
    assert "\n" not in str(caught.value)
    assert not sprung.exists()


@pytest.mark.parametrize("source", ["flan", "instructioneval"])
def test_python_with_code_at_import(tmp_path: Path, source: str) -> None:
    sprung, code = trap(tmp_path)
    path = tmp_path / "templates.py"
    path.write_text(
        f"{code}\nPATTERNS = dict({code}) or {{'a': [('x', 'y')]}}\nclass A:\n    {code}\n", encoding="utf-8"
    )
    with pytest.raises(FileError):
        find(source, path)
    assert not sprung.exists()


def test_python_functions_are_never_called(tmp_path: Path) -> None:
    sprung, code = trap(tmp_path)
    (tmp_path / "utils.py").write_text(f"{code}\ndef f(doc):\n    {code}\n", encoding="utf-8")
    path = tmp_path / "task.yaml"
    path.write_text("task: t\ndoc_to_text: !function utils.f\nprocess_docs: !function utils.f\n", encoding="utf-8")
    assert [refused.reason for refused in find("lm-eval", path).refused] == ["a Python function decides it"]
    assert not sprung.exists()


@pytest.mark.parametrize(
    "escape",
    [
        "{{ x.__class__.__mro__ }}",
        "{{ ''.__class__ }}",
        "{{ x|attr('__class__') }}",
        "{{ self._TemplateReference__context }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ lipsum.__globals__ }}",
        "{% include '/etc/passwd' %}{{ x }}",
        "{% import 'a' as b %}{{ x }}",
        "{% for a in x recursive %}{{ loop(a) }}{% endfor %}",
        "{{ x.format(x) }}",
        "{{ namespace() }}",
    ],
)
def test_escapes_from_the_sandbox(tmp_path: Path, escape: str) -> None:
    path = tmp_path / "templates.yaml"
    path.write_text(HEAD + json.dumps(escape + " ||| {{ y }}") + "\n", encoding="utf-8")
    result = find("promptsource", path)
    wordings = list(result.wordings)
    if wordings:  # `format` and the like are looked up when a prompt is rendered, and refused then
        from phraseproof.core import Example
        from phraseproof.errors import InstructionError
        from phraseproof.instructions.template import compile_instruction

        with pytest.raises(InstructionError):
            compile_instruction(wordings[0]).render_template(Example("e", {"x": "{0.__class__}", "y": ""}))
    else:
        assert len(result.refused) == 1


def test_huge_templates_and_files(tmp_path: Path) -> None:
    path = tmp_path / "templates.yaml"
    path.write_text(HEAD + '"' + "x" * 9_000_000 + ' {{ y }} ||| {{ z }}"\n', encoding="utf-8")
    assert [refused.reason for refused in find("promptsource", path).refused] == [
        "a template of more than 100000 characters"
    ]
    path.write_text(HEAD + '"' + "x" * 11_000_000 + ' ||| {{ z }}"\n', encoding="utf-8")
    with pytest.raises(FileError, match="too large"):
        find("promptsource", path)


@pytest.mark.slow
@pytest.mark.parametrize("text", [BOMB, "a: " + "[" * 300_000, "a: &a [*a]\n", "{" * 30_000])
def test_bombs_of_aliases_and_brackets(tmp_path: Path, text: str) -> None:
    path = tmp_path / "templates.yaml"
    path.write_text(text + ("" if text[-1] in "[{" else "dataset: x\n"), encoding="utf-8")
    with pytest.raises(FileError) as caught:
        find("promptsource", path)
    assert len(str(caught.value)) < 500


def test_names_of_data_sets_do_not_leave_the_folder(tmp_path: Path) -> None:
    from phraseproof.instructions.importers import write

    path = tmp_path / "templates.yaml"
    text = HEAD.replace("shop", '"../../../up"') + '"{{ x }} ||| {{ y }}"\n'
    path.write_text(text, encoding="utf-8")
    (written,) = write(find("promptsource", path), tmp_path / "out")
    assert written.parent == tmp_path / "out" / "p3"
    assert written.resolve().is_relative_to(tmp_path / "out" / "p3")


@pytest.mark.parametrize("source", [name for name in SOURCES if name not in {"flan", "instructioneval"}])
@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"\x00" * 100, b"{}", b"[]", b"null", b"1", b'"x"', b"a: b\n"]
)
def test_files_of_another_kind_are_one_line(tmp_path: Path, source: str, content: bytes) -> None:
    suffix = {"alpaca": ".json", "promptsuite": ".json", "list": ".json"}.get(source, ".yaml")
    path = tmp_path / f"x{suffix}"
    path.write_bytes(content)
    try:
        assert not list(find(source, path).wordings)
    except PhraseproofError as error:
        assert "\n" not in str(error)  # noqa: PT017 (either is right)
