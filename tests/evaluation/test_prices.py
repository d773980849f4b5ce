"""Prices come from the user, in two numbers or a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.errors import FileError, UsageError
from phraseproof.evaluation.prices import Price, read_price


def test_a_million_tokens_cost_what_was_said() -> None:
    price = read_price("0.15,0.60", "any")
    assert price == Price(0.15, 0.60)
    assert price.of(2_000_000, 500_000) == pytest.approx(2 * 0.15 + 0.5 * 0.60)


def test_a_file_has_the_prices_of_several_models(tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(
        "openai/a: {input: 1, output: 2}\nopenai/b: {input: 3, output: 4, batch_share: 0.5}\n", encoding="utf-8"
    )
    assert read_price(str(path), "openai/b") == Price(3, 4, 0.5)
    assert read_price(str(path), "openai/a") == Price(1, 2, 1)
    with pytest.raises(UsageError, match=r"no price of openai/c .expected one of: openai/a, openai/b"):
        read_price(str(path), "openai/c")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("m: {input: 1}", r"prices.yaml:1, m.output: the field 'output' is missing"),
        (
            "n: {input: 1, output: 1}\nm:\n  input: free\n  output: 1\n",
            r"prices.yaml:3, m.input: not a number .*free",
        ),
        ("m: {input: -1, output: 1}", r"prices.yaml:1, m.input: the value should be greater than or equal to 0"),
        ("m: {input: .nan, output: 1}", r"prices.yaml:1, m.input: the value should be a finite number"),
        ("m: {input: yes, output: 1}", r"prices.yaml:1, m.input: not a number"),
        ("m: {input: 1, output: 1, cached: 1}", r"prices.yaml:1, m.cached: unknown field 'cached'"),
        ("m: {input: 1, output: 1, batch_share: 2}", r"m.batch_share: the value should be less than or equal to 1"),
        ("m: [1, 2]", r"prices.yaml:1, m: not a mapping"),
        ("- m", r"prices.yaml:1: not a mapping"),
        ("m: {input: 1, output: 1}\nm: {input: 2, output: 1}", r"prices.yaml:2: the key 'm' is given twice"),
        ("", r"prices.yaml: the file is empty"),
        ("m: {", r"prices.yaml:1: not valid YAML"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line_with_its_place(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(FileError, match=message) as raised:
        read_price(str(path), "m")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["1", "1,2,3", "a,b", "-1,2", "nan,1", "inf,1"])
def test_what_is_no_price_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a price"):
        read_price(text, "m")
