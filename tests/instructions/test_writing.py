"""Collections written to files: what is loaded again is what was written."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phraseproof.core import Instruction, Relation
from phraseproof.instructions.collections import load_collection
from phraseproof.instructions.template import literal, quoted
from phraseproof.instructions.writing import write_collection

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)
SAID = TEXT.filter(str.strip).map(literal)
LABEL = st.text("abcXYZ/-. é'\"", min_size=1, max_size=12).map(str.strip).filter(bool)


@st.composite
def wordings(draw: st.DrawFn) -> Instruction:
    has_layout = draw(st.booleans())
    answers = draw(st.lists(TEXT.filter(str.strip), min_size=2, max_size=3))
    return Instruction(
        id=draw(LABEL),
        collection="made",
        system=draw(st.none() | SAID),
        ask=draw(SAID) if has_layout else None,
        layout=draw(SAID) if has_layout else None,
        template=None if has_layout else draw(SAID),
        ask_last=has_layout and draw(st.booleans()),
        separator=draw(TEXT) if has_layout else "\n\n",
        answer=draw(
            st.sampled_from(
                [
                    "{{ letter }}",
                    "{{ choice }}",
                    "({{ index + 1 }})",
                    f"{{{{ choice | verbalise([{', '.join(map(quoted, answers))}]) }}}}",
                    f"{{{{ choice | verbalise({{{quoted(answers[0])}: {quoted(answers[1])}}}) }}}}",
                ]
            )
        ),
        continuation=draw(st.none() | SAID),
        target_delimiter=draw(st.none() | TEXT),
        fewshot_delimiter=draw(st.none() | TEXT),
        serves=tuple(draw(st.lists(LABEL, max_size=2))),
        relation=draw(st.none() | st.sampled_from(Relation)),
        author=draw(st.none() | TEXT),
        source=draw(st.none() | TEXT),
        licence=draw(st.none() | TEXT),
    )


@given(st.lists(wordings(), min_size=1, max_size=3, unique_by=lambda each: each.id), TEXT)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_written_is_loaded_again(given_wordings: list[Instruction], remark: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.yaml"
        write_collection(path, "made", given_wordings, remark=" ".join(remark.split()))
        loaded = load_collection(str(path)).instructions
    for back, out in zip(loaded, given_wordings, strict=True):
        for field in ("author", "source", "licence"):
            assert (getattr(back, field) or None) == (getattr(out, field) or None)
        kept = (
            "id",
            "system",
            "ask",
            "layout",
            "template",
            "ask_last",
            "separator",
            "answer",
            "continuation",
            "target_delimiter",
            "fewshot_delimiter",
            "serves",
            "relation",
        )
        assert [getattr(back, name) for name in kept] == [getattr(out, name) for name in kept]


def test_people_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "made.yaml"
    common: dict[str, Any] = {"collection": "made", "serves": ("tickets",), "licence": "CC0-1.0"}
    one = Instruction("one", template="Read:\n{{ text }}\nSay:", answer="{{ letter }}", **common)
    two = Instruction("two", ask="Say.", layout="{{ text }}", answer='{{ choice | verbalise(["a", "b"]) }}', **common)
    write_collection(path, "made", [one, two], remark="Two wordings.")
    assert path.read_text(encoding="utf-8") == (
        "# Two wordings.\nname: made\nfor: tickets\nlicence: CC0-1.0\ninstructions:\n"
        "- id: one\n  template: |-\n    Read:\n    {{ text }}\n    Say:\n  answer: letter\n"
        "- id: two\n  ask: Say.\n  layout: '{{ text }}'\n  answer:\n  - a\n  - b\n"
    )
    assert list(tmp_path.iterdir()) == [path]
