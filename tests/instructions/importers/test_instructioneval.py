"""Functions that put prompts together: followed on their syntax tree, compared with what Python makes of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from phraseproof.core import Example, Relation
from phraseproof.errors import FileError
from phraseproof.instructions.importers import find
from phraseproof.instructions.template import compile_instruction

BASE = """
import os
raise SystemExit("this file is read, not run")

MARKS = [["(" + chr(x) + ") " for x in range(ord("A"), ord("Z") + 1)]]


class Preprocessor:
    EXTRA = ["Be bold."]

    def __init__(self, instruction=None, style=("letter", 0)):
        self.marks = MARKS[style[1]]
        self.instr2preprocessor = {
            "NIV2/QA/1": self.lettered,
            "FLAN/QA/1": lambda item: self.needs_text(**item),
        }

    def lettered(self, item):
        question, options, answer = item["question"], item["options"], item["answer"]
        text = ""
        for mark, option in zip(self.marks, options):
            text += "\\n{}{}".format(mark, option)
        letters = [chr(x) for x in range(ord("A"), ord("Z") + 1)][:len(options)]
        return {"input_text": "Q: {question}{text}\\nA:".format(question=question, text=text),
                "output_text": letters[options.index(answer)], "label_space": letters}

    def needs_text(self, text):
        return {"input_text": text, "output_text": text}
"""
TASK = """
from configs.preprocessor import Preprocessor


class Birds(Preprocessor):
    def add_unobserved_instructions(self):
        self.instr2preprocessor["BBL/Unobserved/1"] = self.unobserved1
        self.instr2preprocessor["BBL/Unobserved/2"] = lambda item: self.bold(item, self.EXTRA[0])
        self.instr2preprocessor["BBL/Correct/1"] = self.listed
        self.instr2preprocessor["BBL/Random/1"] = self.reads_a_file
        self.instr2preprocessor["BBL/Incorrect/1"] = self.takes_apart
        self.instr2preprocessor["BBL/Negation/1"] = self.mapped

    def with_template(self, item, template):
        return {"input_text": template.format(**item), "output_text": item["answer"], "label_space": item["options"]}

    def bold(self, item, extra):
        return self.with_template(item, extra + " {question}?")

    def unobserved1(self, item):
        return self.with_template(item, "Is it so? {question}")

    def listed(self, item):
        text = ""
        for i, option in enumerate(item["options"]):
            text += f"'{option}', " if i != len(item["options"]) - 1 else f"or '{option}'."
        return {"input_text": f"{item['question']} Choose {text}", "output_text": item["answer"]}

    def reads_a_file(self, item):
        return {"input_text": open("/etc/passwd").read() + item["question"], "output_text": item["answer"]}

    def takes_apart(self, item):
        first, second = item["question"].split("Sentence: ")
        return {"input_text": second, "output_text": item["answer"]}

    def mapped(self, item):
        said = "True" if item["answer"] == "yes" else "False"
        return {"input_text": "Say whether: " + item["question"], "output_text": said}
"""
DATA = {"examples": [{"input": "Do owls fly?", "target_scores": {"yes": 1, "no": 0}}]}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    files = {
        "configs/preprocessor.py": BASE,
        "configs/BBH/birds.py": TASK,
        "data/benchmark_tasks/birds/task.json": json.dumps(DATA),
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_wordings_of_a_checkout(checkout: Path) -> None:
    result = find("instructioneval", checkout)
    compiled = {each.id.removeprefix("birds/"): compile_instruction(each) for each in result.wordings}
    example = Example("e", {"question": "Do emus fly"}, ("yes", "no"), (0.0, 1.0))
    said = {name: (each.render_template(example), each.render_answers(example)) for name, each in compiled.items()}
    assert said == {
        "NIV2/QA/1": ("Q: Do emus fly\n(A) yes\n(B) no\nA:", ("A", "B")),
        "BBL/Unobserved/1": ("Is it so? Do emus fly", ("yes", "no")),
        "BBL/Unobserved/2": ("Be bold. Do emus fly?", ("yes", "no")),
        "BBL/Correct/1": ("Do emus fly Choose 'yes', or 'no'.", ("yes", "no")),
        "BBL/Negation/1": ("Say whether: Do emus fly", ("True", "False")),
    }
    by_name = {each.name: each for each in result.wordings}
    assert by_name["flan/birds/NIV2/QA/1"].relation is Relation.OBSERVED
    assert by_name["paper-negated/birds/BBL/Negation/1"].serves == ("bbl/birds",)
    reasons = {refused.name.removeprefix("birds/"): refused.reason for refused in result.refused}
    assert reasons == {
        "FLAN/QA/1": "it asks for fields that the task's examples lack",
        "BBL/Random/1": "its text is built in a way that is not understood",
        "BBL/Incorrect/1": "it takes the example's own text or options apart",
    }


def test_a_folder_without_registered_wordings_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n", encoding="utf-8")
    with pytest.raises(FileError, match="no wordings registered"):
        find("instructioneval", tmp_path)


# ------------------------------------------------------------------------------------------ functions that make texts


# ------------------------------------------------------------------------------------- from marked texts to a template
