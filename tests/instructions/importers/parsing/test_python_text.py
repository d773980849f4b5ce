from __future__ import annotations

import ast
from typing import Any

import pytest

from phraseproof.instructions.importers.parsing.parse_result import UnrepresentableError
from phraseproof.instructions.importers.parsing.python_text import Texts


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
