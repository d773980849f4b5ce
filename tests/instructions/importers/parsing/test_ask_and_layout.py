from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from phraseproof.instructions.importers.parsing.ask_and_layout import split_ask


@given(st.lists(st.sampled_from(["Say which it is.", "Is it so?", "{{ x }}", "{{ y }}", "Answer:", "\n", "\n\n", " "])))
def test_ask_and_layout_together_are_the_template(parts: list[str]) -> None:
    template = "".join(parts)
    result = split_ask(template)
    if result.template is not None:
        assert result.template == template
    else:
        assert result.ask is not None
        assert result.layout is not None
        segments = [result.layout, result.ask] if result.ask_last else [result.ask, result.layout]
        assert result.separator.join(segments) == template
        assert "{{" not in result.ask
