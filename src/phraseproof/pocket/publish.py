"""Write the pocket tasks and wordings as the files that ship with phraseproof.

`tasks` and `instructions` read these files like all others and do not import this package.
"""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

from phraseproof.pocket.closer_look import CLOSER_LOOK, PARTNER_NAME, closer_look
from phraseproof.pocket.lexicon import ABOUT as ATTRIBUTE_WORDS
from phraseproof.pocket.lexicon import ATTRIBUTES
from phraseproof.pocket.negation import NEGATION, negations
from phraseproof.pocket.wordings import ABOUT, KINDS, SETS, Wording, sentence, wordings
from phraseproof.pocket.world import ask

QUESTIONS = 100
"""The number of scored questions per task. They are the same for every wording."""

DEMONSTRATIONS = 32
"""The number of further questions per task, for demonstrations and for alignment."""

SEED = 20240

ABOUT_FIELDS = (ABOUT, *(f"{ABOUT}_{number}" for number in range(2, 6)))
"""The template fields with the names of an attribute, the observed name first."""

PARTNER_FIELD = "partner"
"""The template field with the observed name of the attribute's partner."""

_RELATIONS = {
    "observed": "observed",
    "paraphrase": "paraphrase",
    "validation": "unobserved",
    "test": "unobserved",
    NEGATION: "negated",
    **{relation: relation for relation in CLOSER_LOOK},
}
_SERVES = {"choose": "Pocket-QA", "label": "Pocket-MC", "has": "Pocket-BC"}
_LAYOUT = "Note: {{ note }}\\nAnswer:"
_LETTERED_LAYOUT = "Note: {{ note }}\\n{{ choices | enumerate('{letter} {choice}') }}\\nAnswer:"
_ANSWERS = {"choose": "letter", "label": "text", "has": "text"}


def publish(tasks: Path, collections: Path) -> list[Path]:
    """Write `KIND.csv` and `words.csv` to the folder `tasks`, and `pocket-SET.yaml` to the folder `collections`.

    Returns:
        The paths of the files. Their bytes are always the same.
    """
    texts = {tasks / f"{kind}.csv": _questions(kind) for kind in KINDS}
    texts[tasks / "words.csv"] = _names()
    texts |= {collections / f"pocket-{name}.yaml": _collection(name) for name in _RELATIONS}
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return list(texts)


def _questions(kind: str) -> str:
    draw = random.Random(f"{SEED} {kind}")
    rows: list[list[str]] = []
    for attribute in ATTRIBUTES:
        seen: set[str] = set()
        while len(seen) < QUESTIONS + DEMONSTRATIONS:
            question = ask(kind, attribute, draw)
            key = " ".join((*question.note, *question.choices))
            if key in seen:
                continue
            note = sentence(question.note).lower()
            split, number = ("test", len(seen)) if len(seen) < QUESTIONS else ("train", len(seen) - QUESTIONS)
            choices = question.choices if kind == "choose" else ()
            rows.append([attribute, split, str(number), note, *choices, question.answer])
            seen.add(key)
    columns = ("a", "b", "c", "d") if kind == "choose" else ()
    return _csv(["attribute", "split", "number", "note", *columns, "answer"], rows)


def _names() -> str:
    words = ATTRIBUTE_WORDS
    rows = [
        [name, *words[name].observed, *words[name].rare, *words[attribute.partner].observed]
        for name, attribute in ATTRIBUTES.items()
    ]
    return _csv(["attribute", *ABOUT_FIELDS, PARTNER_FIELD], rows)


def _csv(header: list[str], rows: list[list[str]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return stream.getvalue()


def _collection(name: str) -> str:
    lines = [
        "# Written by `phraseproof pocket data` from the templates in src/phraseproof/pocket; edit those instead.",
        f"name: pocket-{name}",
        f"relation: {_RELATIONS[name]}",
        "author: phraseproof",
        "licence: Apache-2.0",
        "instructions:",
    ]
    for kind, some in _wordings(name).items():
        for number, wording in enumerate(some, start=1):
            lines += [
                f"  - id: {kind}-{number}",
                f"    for: {_SERVES[kind]}",
                f'    ask: "{_ask(wording)}"',
                f'    layout: "{_LETTERED_LAYOUT if kind == "choose" else _LAYOUT}"',
                f"    answer: {_ANSWERS[kind]}",
            ]
    return "\n".join(lines) + "\n"


def _wordings(name: str) -> dict[str, tuple[Wording, ...]]:
    if name == NEGATION:
        return negations()
    return wordings(name) if name in SETS else closer_look(name)


def _ask(wording: Wording) -> str:
    field = PARTNER_FIELD if wording.name == PARTNER_NAME else ABOUT_FIELDS[wording.name]
    return sentence(wording.words).replace("{about}", f"{{{{ {field} }}}}")
