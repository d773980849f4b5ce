"""What a dry run prints of time and money."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from phraseproof.cli.forecast import print_forecast
from phraseproof.core import TokenForecast
from phraseproof.evaluation.forecast import Forecast, RequestLoad
from phraseproof.evaluation.prices import Price
from phraseproof.evaluation.timing import Timing

SERVED = Forecast(
    2, 1000, 2, 1000, None, 100, most=RequestLoad(4000, 8_000_000, 4000), least=RequestLoad(4000, 8_000_000, 4000)
)
LOCAL = Forecast(
    2,
    1000,
    2,
    1000,
    TokenForecast(3_000_000, 10),
    1000,
    Timing(4000.0, 48, 5.25),
    RequestLoad(4000, 0, 4000),
    RequestLoad(4000, 0, 4000),
)


def test_tokens_of_a_served_model_are_assumed_from_characters_and_this_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_forecast(SERVED, Price(0.5, 10), as_json=False)
    line = capsys.readouterr().out.splitlines()[-1]
    # 8 million characters are 2 million tokens: 1.00; and 4,000 tokens of output: 0.04.
    assert line.split()[:2] == ["price", "1.04"]
    assert "2,000,000 input and at most 4,000 output tokens" in line
    assert "assuming 4 characters per token; extrapolated from 100 prompts" in line


@pytest.mark.parametrize(
    ("price", "printed"), [(Price(0, 0), "0.00"), (Price(0.0006, 0), "0.0012"), (Price(600, 0), "1,200.00")]
)
def test_a_small_price_is_printed_with_two_digits(
    price: Price, printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    print_forecast(SERVED, price, as_json=False)
    assert capsys.readouterr().out.splitlines()[-1].split()[:2] == ["price", printed]


def test_time_is_printed_with_its_basis(capsys: pytest.CaptureFixture[str]) -> None:
    print_forecast(LOCAL, None, as_json=False)
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.split(maxsplit=3)[:3] == ["time", "67", "min"]
    assert "(48 prompts took 5.2 s; without loading the model)" in line


def test_json_has_both_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    print_forecast(LOCAL, Price(1, 0), as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert (found["seconds"], found["timed_prompts"]) == (4000.0, 48)
    assert (found["price"], found["input_tokens"], found["output_tokens"]) == (3.0, 3_000_000, 4000)


def test_questions_to_a_judge_are_counted_apart(capsys: pytest.CaptureFixture[str]) -> None:
    judged = replace(SERVED, judge_questions=2400)
    print_forecast(judged, Price(0.5, 10), as_json=False)
    printed = capsys.readouterr().out
    assert "judge asked              2,400  (at most; what it answered before is kept)" in printed
    assert "4,000 output tokens, without the judge; assuming" in printed
    print_forecast(judged, None, as_json=True)
    assert json.loads(capsys.readouterr().out)["judge_questions"] == 2400
    print_forecast(SERVED, None, as_json=True)
    assert "judge_questions" not in json.loads(capsys.readouterr().out)


def test_bounds_are_printed_where_it_is_not_known_how_answers_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    least, most = RequestLoad(1000, 2_000_000, 1000), RequestLoad(4000, 8_000_000, 256_000)
    forecast = Forecast(2, 1000, 2, 1000, None, 1000, None, most, least, is_served=True, untimed="no answer")
    print_forecast(forecast, Price(1, 1), as_json=False)
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert [name for name, _ in lines] == ["cells", "prompts", "requests", "time", "price"]
    printed = {line[0]: line[1] for line in lines}
    assert printed["requests"].startswith("1,000 to 4,000 ")
    assert printed["time"] == "unknown  (no answer)"
    # Half a million tokens and 1,000 of output; 2 million and 256,000.
    assert printed["price"].startswith("0.50 to 2.26 ")
    print_forecast(forecast, Price(1, 1), as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert (found["least_requests"], found["requests"]) == (1000, 4000)
    assert (found["least_price"], found["price"]) == (pytest.approx(0.501), pytest.approx(2.256))
