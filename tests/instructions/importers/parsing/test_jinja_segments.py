from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from phraseproof.instructions.importers.parsing import jinja_segments as jinja
from phraseproof.instructions.importers.parsing.parse_result import UnrepresentableError


@given(st.text(st.sampled_from("{}%#-|xy .\n'\"[]()"), max_size=40))
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_is_read_or_refused_and_written_again_the_same(text: str) -> None:
    try:
        segments = jinja.read(text)
    except UnrepresentableError:
        return
    once = jinja.write(segments)
    assert jinja.write(jinja.read(once)) == once
