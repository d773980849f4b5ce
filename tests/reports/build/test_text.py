"""How other people's words are put, whatever the format."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.reports.build.text import printable, short_model_name, short_model_names


@given(st.text())
def test_printable_text_is_one_line_that_cannot_act(text: str):
    line = printable(text)
    assert all(character.isprintable() or character in "\u200c\u200d" for character in line)
    assert line == line.strip()


@pytest.mark.parametrize(
    ("model", "short"),
    [
        ("/root/models/smollm2", "smollm2"),
        ("./mine/", "mine"),
        ("C:\\models\\mine", "mine"),
        ("/root/models/smollm2 + adapter 0123abcd", "smollm2 + adapter 0123abcd"),
        ("HuggingFaceTB/SmolLM2-135M-Instruct", "HuggingFaceTB/SmolLM2-135M-Instruct"),
        ("scripted", "scripted"),
        ("/", "/"),
    ],
)
def test_a_model_folder_has_the_name_of_its_last_part(model: str, short: str) -> None:
    assert short_model_name(model) == short


def test_models_that_would_share_a_short_name_keep_the_whole_one() -> None:
    assert short_model_names(["/a/m", "/b/m", "/c/n", "/a/m"]) == {"/a/m": "/a/m", "/b/m": "/b/m", "/c/n": "n"}
