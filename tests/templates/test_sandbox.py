from __future__ import annotations

import time
from typing import Any

import pytest

from phraseproof.core import Example, Instruction
from phraseproof.errors import InstructionError
from phraseproof.instructions.template import compile_instruction

EXAMPLE = Example("e1", {"question": "Why?", "meta": {"a": 1}, "empty": None}, ("x", "y", "z"), (0.0, 1.0, 0.0))


def render(template: str, example: Example = EXAMPLE, **fields: Any) -> str:
    return compile_instruction(wording(template, **fields)).render_template(example)


def wording(template: str, **fields: Any) -> Instruction:
    settings: dict[str, Any] = {"id": "w", "collection": "c", "template": template, "origin": "mine.yaml:7"}
    return Instruction(**settings | fields)


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__ }}",
        "{{ ''['__class__'] }}",
        "{{ ''['__cla' ~ 'ss__'] }}",
        "{{ question | attr('__class__') }}",
        "{{ [].__class__.__base__.__subclasses__() }}",
        "{{ choices['__class__'].mro() }}",
        "{{ choices.mro }}",
        "{{ ''.mro() }}",
        "{{ (1).__class__ }}",
        "{{ question.__init__.__globals__ }}",
        "{{ range.__self__ }}",
        "{{ range['__self__'] }}",
        "{{ lipsum.__globals__['os'] }}",
        "{{ lipsum['__globals__'] }}",
        "{{ cycler.__init__ }}",
        "{{ cycler('a') }}",
        "{{ joiner() }}",
        "{{ namespace() }}",
        "{{ dict(a=1) }}",
        "{{ '{0.__class__}'.format(question) }}",
        "{{ '{q.__class__}'.format_map({'q': question}) }}",
        "{{ ('{0.__class__}' | string).format(1) }}",
        "{{ ['{0.__class__}'] | map('format', 1) | join }}",
        "{{ ''['format'](1) }}",
        "{{ '%s' | format(question) }}",
        "{{ '%r' % question }}",
        "{{ choices | enumerate('{0.__class__}') }}",
        "{{ choices | enumerate('{choice.__class__}') }}",
        "{{ choices | enumerate('{choice!r}') }}",
        "{{ choices | enumerate('{choice:>9999999999}') }}",
        "{{ choices | map(attribute='__class__') | join }}",
        "{{ [meta] | map(attribute='__class__.__mro__') | list }}",
        "{{ loop.__class__ }}",
        "{% for c in choices %}{{ loop.__init__ }}{% endfor %}",
        "{% for c in choices %}{{ loop['_iterator'] }}{% endfor %}",
        "{{ self.__init__ }}",
        "{{ self._TemplateReference__context }}",
        "{{ choices | random }}",
        "{{ question | pprint }}",
        "{{ question.encode() }}",
        "{{ [].append(1) }}",
        "{{ choices.append('more') }}",
        "{{ choices.clear() }}",
        "{{ letters.pop() }}",
        "{{ meta.update({'a': 2}) }}",
        "{{ meta.pop('a') }}",
        "{{ meta.setdefault('b', 1) }}",
        "{% set meta.a = 2 %}",
        "{% do meta.update({}) %}",
    ],
)
def test_the_sandbox_holds(template: str) -> None:
    with pytest.raises(InstructionError):
        render(template)
    assert EXAMPLE.fields["meta"] == {"a": 1}
    assert EXAMPLE.choices == ("x", "y", "z")
    assert render("{{ letters | join }}") == "ABC"


@pytest.mark.parametrize(
    "template",
    [
        "{{ 'x' * 10**9 }}",
        "{{ 10**9 * 'x' }}",
        "{{ [1, 2] * 10**8 }}",
        "{{ ('x' * 999999) + ('x' * 999999) }}",
        "{{ ('x' * 999999) ~ ('x' * 999999) }}",
        "{{ [question * 9, question] | join('x' * 999999) }}",
        "{{ ('x' * 999999).join(choices) }}",
        "{{ ('x' * 999999).replace('x', 'y' * 99999) }}",
        "{{ ('x' * 999999) | replace('', 'y' * 99999) }}",
        "{{ ('\n' * 99999) | indent(99999) }}",
        "{{ question | center(10**9) }}",
        "{{ question.ljust(10**9) }}",
        "{{ question.zfill(10**9) }}",
        "{{ '%999999999d' % 1 }}",
        "{% for i in range(10**9) %}{% endfor %}",
        "{{ range(10**9) | list }}",
        "{{ range(10**18) | sum }}",
        "{{ 10**10**10 }}",
        "{{ 99**40 * 99**40 }}",
        "{{ choices | enumerate('x' * 999999) }}",
        "{% for c in 'x' * 5000 %}{% endfor %}",
        "{% for i in range(1000) %}{% for j in range(1000) %}{{ question }}{% endfor %}{% endfor %}",
        "{% set a = 'x' * 1000 %}" + "{% set a = a ~ a %}" * 60 + "{{ a }}",
        "{% set a = 'x' * 1000 %}" + "{% set a = a + a %}" * 60 + "{{ a }}",
        "{% set a = [1] %}" + "{% set a = a + a %}" * 60 + "{{ a | length }}",
        "{% for i in range(1000) %}{{ 'x' * 99999 }}{% endfor %}",
        "{% set a = [1] %}" + "{% set a = [a, a] %}" * 60 + "{{ a }}",
        "{% set a = (1, 2) %}" + "{% set a = (a, a) %}" * 60 + "{{ a | upper }}",
        "{% set a = {} %}" + "{% set a = {1: a, 2: a} %}" * 60 + "{{ a == a ~ '' }}",
        "{% set a = [1] %}" + "{% set a = ([0] * 9) | map('default', a, true) | list %}" * 60 + "{{ a }}",
        "{% set a %}{% for i in range(1000) %}{{ 'x' * 99999 }}{% endfor %}{% endset %}{{ a | length }}",
    ],
)
def test_runaway_templates_are_stopped_early(template: str) -> None:
    began_s = time.process_time()
    with pytest.raises(InstructionError):
        render(template)
    assert time.process_time() - began_s < 5
