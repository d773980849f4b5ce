"""Functions that put prompts together: followed on their syntax tree, compared with what Python makes of them."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from phraseproof.core import Example, Relation
from phraseproof.errors import FileError
from phraseproof.instructions.importers import find
from phraseproof.instructions.importers.parsing.option_form import QUESTION, option_mark, template_of
from phraseproof.instructions.importers.parsing.parse_result import UnrepresentableError
from phraseproof.instructions.importers.parsing.python_text import Texts
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


def texts_of(body: str) -> Texts:
    (function,) = ast.parse("def f(self, q, options):\n" + "\n".join(f"    {line}" for line in body.splitlines())).body
    assert isinstance(function, ast.FunctionDef)
    return Texts({"f": function}, {})


UNDERSTOOD = [
    "return 'a' + q",
    "return f'{q}: {options[0]}'",
    "return '{}-{}'.format(q, len(options))",
    "return '{1} {0} {x}'.format(q, 'b', x=options[-1])",
    "return ', '.join([o.upper() for o in options if o != 'b'])",
    "t = ''\nfor i, o in enumerate(options):\n    t += str(i) + o\nreturn t",
    "t = []\nfor a, o in zip('xyz', options):\n    t.append(a + o)\nreturn ' '.join(t)",
    "return 'yes' if 'a' in options and not q == 'b' else 'no'",
    "d = {'a': 'first', 'b': 'second'}\nreturn d.get(options[1], 'none') + d['a']",
    "g = lambda x, y='!': x + y\nreturn g(q) + g(q, y='?')",
    "a, b = options\nreturn (a + b).replace('a', 'c')[1:]",
    "try:\n    return options[0].strip()\nexcept ValueError:\n    return 'x'",
]


@pytest.mark.parametrize("body", UNDERSTOOD)
def test_what_is_understood_is_what_python_does(body: str) -> None:
    names: dict[str, Any] = {}
    source = "def f(q, options):\n" + "\n".join(f"    {line}" for line in body.splitlines())
    exec(source, names)
    assert texts_of(body).call("f", "why", ["a", "b"]) == names["f"]("why", ["a", "b"])


@pytest.mark.parametrize(
    "body",
    [
        "return open('/etc/passwd').read()",
        "return __import__('os').system('true')",
        "import os\nreturn os.getcwd()",
        "return q.__class__.__mro__",
        "return '{0.__class__}'.format(q)",
        "return '{0[0]}'.format(q)",
        "return f'{q!r}'",
        "return f'{q:>9999999999}'",
        "return eval('1')",
        "return getattr(q, 'upper')()",
        "while True:\n    pass",
        "return 'a' * 10**9",
        "return self.f(q, options)",
        "t = 'a'\nfor i in range(40):\n    t = t + t\nreturn t",
        "t = 'a'\nfor i in range(40):\n    t = t.replace('a', 'aa')\nreturn t",
        "t = ['a']\nfor i in range(40):\n    t = [t, t]\nreturn str(t)",
        "t = ['a']\nfor i in range(40):\n    t = [t, t]\nreturn t == [t]",
        "for i in range(10**9):\n    pass",
        "for i in range(10000):\n    for j in range(10000):\n        pass",
        "return [x for x in range(10**7)]",
        "return chr(-1)",
        "return options[7]",
        "global x\nx = 1",
        "with q:\n    pass",
        "yield q",
        "return (yield)",
        "raise SystemExit",
        "return int('9' * 5)",
        "return {[]: 1}",
        "del q",
    ],
)
def test_what_is_not_understood_is_refused_and_ends(body: str) -> None:
    with pytest.raises(UnrepresentableError):
        texts_of(body).call("f", "why", ["a", "b"])


# ------------------------------------------------------------------------------------- from marked texts to a template


@pytest.mark.parametrize(
    ("write", "template"),
    [
        (lambda o: QUESTION + "".join(f"\n({'ABCDE'[i]}) {each}" for i, each in enumerate(o)),
         '{{ question }}{{ choices | enumerate("\\n({letter}) {choice}", separator="") }}'),
        (lambda o: f"{QUESTION} " + ", ".join(o[:-1]) + f" or {o[-1]}?",
         '{{ question }} {{ choices | enumerate("{choice}", separator=", ", last=" or ") }}?'),
        (lambda o: "\n".join(f"{i + 1}. {each}" for i, each in enumerate(o)) + QUESTION,
         '{{ choices | enumerate("{number}. {choice}", separator="\\n") }}{{ question }}'),
    ],
)  # fmt: skip
def test_options_of_any_number_become_an_enumeration(write: Any, template: str) -> None:
    texts = {number: write([option_mark(index) for index in range(number)]) for number in (3, 4, 5)}
    result = template_of(texts)
    choices = ("w", "x", "y", "z")
    from phraseproof.core import Instruction

    example = Example("e", {"question": "Why?"}, choices, (1.0, 0.0, 0.0, 0.0))
    for each in (result, template):
        compiled = compile_instruction(Instruction("i", "c", template=each))
        assert compiled.render_template(example) == write(list(choices)).replace(QUESTION, "Why?")


def test_options_that_cannot_be_generalised() -> None:
    with pytest.raises(UnrepresentableError, match="changes with their number"):
        template_of({2: f"{QUESTION} two", 3: f"{QUESTION} three"})
    with pytest.raises(UnrepresentableError, match="nothing of the example"):
        template_of({2: "hello"})
