"""Runs through a batch API that fails, and killed commands: every row is right, and nothing is computed twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from phraseproof.core import Prompt
from phraseproof.errors import StoppedError, UsageError
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.openai.answer_store import AnswerStore
from phraseproof.models.openai.batch import calls
from phraseproof.models.openai.batch.table import BatchTable
from phraseproof.store.queries import Run, load_run
from support.batch_desk import BatchDesk
from support.command_line import run_command
from support.fault_server import Fault, FaultServer, chat_answer, serving
from support.forked import fork_context
from support.parity_project import write_project
from support.served_rows import checked_rows, evaluate_served

EXAMPLES, WORDINGS = 10, 4
PROMPTS = EXAMPLES * WORDINGS
READINGS = {"loglikelihood": "completions", "first_token": "chat", "generate": "chat"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path, examples=EXAMPLES, wordings=WORDINGS)


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "wait_s", lambda attempt, first_s, requested_s: requested_s + 0.001 * attempt)
    monkeypatch.setattr(calls, "PATIENCE_S", 0.0)


def evaluate(project: Path, base_url: str, reading: str = "loglikelihood", **args: str) -> Run:
    """Score the task through the batch API."""
    settings = {"batch_api": "true", "batch_poll_s": "0.001", "timeout_s": "2"} | args
    return evaluate_served(project, base_url, reading, READINGS[reading], **settings)


def requests_of(reading: str) -> int:
    return 2 * PROMPTS if reading == "loglikelihood" else PROMPTS


@pytest.mark.parametrize("reading", list(READINGS))
def test_every_way_to_read_goes_through_batches(project: Path, reading: str) -> None:
    desk = BatchDesk()
    with serving(FaultServer(desk=desk)) as server:
        run = evaluate(project, server.base_url, reading, batch_requests="17")
    assert len(checked_rows(run)) == PROMPTS
    full, rest = divmod(requests_of(reading), 17)
    assert desk.sizes == [17] * full + [rest]
    assert set(desk.computed.values()) == {1}
    assert not [text for text in server.requests if text.startswith("Wording")]  # only trials, by themselves
    assert not (project / "run" / "answers.sqlite").exists()


KILLS: list[tuple[object, str]] = [
    ((BatchTable, "plan"), "before"),
    ((BatchTable, "plan"), "after"),
    ("POST files", "reset"),
    ("POST files", "lost"),
    ((BatchTable, "uploaded"), "before"),
    ((BatchTable, "uploaded"), "after"),
    ("POST batches", "reset"),
    ("POST batches", "lost"),
    ((BatchTable, "submitted"), "before"),
    ((BatchTable, "submitted"), "after"),
    ("GET batch", "reset"),
    ("GET content", "reset"),
    ("GET content", "cut"),
    ((AnswerStore, "put_all"), "before"),
    ((AnswerStore, "put_all"), "after"),
    ((BatchTable, "forget"), "before"),
    ((BatchTable, "forget"), "after"),
]
"""Where a command is killed: at a request to the server, or in one of its own steps."""


def _evaluate_until(project: Path, base_url: str, step: object, when: str) -> None:
    """What a child does: it kills itself before or after one of its steps."""
    calls.wait_s = lambda *_: 0.001  # pyright: ignore[reportAttributeAccessIssue]
    if isinstance(step, tuple):
        owner, name = step
        right = getattr(owner, name)

        def deadly(*args: Any, **options: Any) -> None:
            if when == "after":
                right(*args, **options)
            os.kill(os.getpid(), signal.SIGKILL)

        setattr(owner, name, deadly)
    evaluate(project, base_url, batch_requests="27")


def test_a_kill_at_every_stage_loses_nothing_and_computes_nothing_twice(project: Path) -> None:
    context, threads = fork_context(), threading.active_count()
    deadly: list[tuple[object, str]] = []
    victim: list[int] = []

    def fault(text: str, *_: int) -> Fault | None:
        if not deadly or deadly[0][0] != text:
            return None
        os.kill(victim[0], signal.SIGKILL)
        return Fault(deadly.pop()[1])

    desk = BatchDesk()
    with serving(FaultServer(fault, desk=desk)) as server:
        for step, when in KILLS:
            worker = context.Process(target=_evaluate_until, args=(project, server.base_url, step, when))
            worker.start()
            assert worker.pid is not None
            victim[:], deadly[:] = [worker.pid], [(step, when)]
            worker.join(60)
            assert worker.exitcode == -signal.SIGKILL, (step, when)
        evaluate(project, server.base_url)
    run = load_run(project / "run")
    assert not run.missing
    assert len(checked_rows(run)) == PROMPTS
    assert (len(desk.computed), set(desk.computed.values())) == (2 * PROMPTS, {1})
    assert not (project / "run" / "answers.sqlite").exists()
    assert threading.active_count() == threads


FAULTS = {
    "429": Fault("status", 429),
    "429 with Retry-After": Fault("status", 429, (("retry-after", "0.002"),)),
    "500": Fault("status", 500),
    "reset": Fault("reset"),
    "lost": Fault("lost"),
    "cut": Fault("cut"),
    "half of the JSON": Fault("half"),
}
OPERATIONS = ("POST files", "POST batches", "GET batches", "GET batch", "GET content")


@pytest.mark.parametrize("kind", list(FAULTS))
def test_what_passes_at_any_step_changes_no_row_and_submits_nothing_twice(project: Path, kind: str) -> None:
    def fault(text: str, attempt: int, _: int) -> Fault | None:
        return FAULTS[kind] if text in OPERATIONS and attempt in (1, 2, 4) else None

    desk = BatchDesk()
    with serving(FaultServer(fault, desk=desk)) as server:
        run = evaluate(project, server.base_url, batch_requests="50")
    assert len(checked_rows(run)) == PROMPTS
    assert (len(desk.computed), set(desk.computed.values())) == (2 * PROMPTS, {1})


@pytest.mark.parametrize(
    ("operation", "fault", "message"),
    [
        ("POST files", Fault("status", 404), "the server offers no batch API"),
        ("POST batches", Fault("status", 400), "the server refuses: HTTP 400 .got a failure on purpose"),
        ("GET batch", Fault("status", 404), "does not know the batch batch_1"),
        ("GET batch", Fault("status", 307, (("location", "http://127.0.0.1:9/v1"),)), "redirects .HTTP 307"),
        ("GET content", Fault("status", 401), "HTTP 401"),
    ],
)
def test_a_step_that_fails_for_good_stops_in_one_line_and_the_command_continues(
    project: Path, operation: str, fault: Fault, message: str
) -> None:
    is_healed = False
    desk = BatchDesk()
    with serving(FaultServer(lambda text, *_: None if is_healed or text != operation else fault, desk=desk)) as server:
        with pytest.raises(StoppedError, match=rf"{message}.*0 of {PROMPTS} prompts are stored in") as caught:
            evaluate(project, server.base_url, "first_token", retries="1")
        assert "\n" not in str(caught.value)
        is_healed = True
        run = evaluate(project, server.base_url, "first_token")
    assert len(checked_rows(run)) == PROMPTS
    assert set(desk.computed.values()) == {1}


@pytest.mark.parametrize(
    ("fault", "message"),
    [(Fault("bomb"), "too large"), (Fault("body", change=lambda _: [1]), "ends within a line")],
)
def test_a_file_of_answers_that_cannot_be_read_fails_its_rows(project: Path, fault: Fault, message: str) -> None:
    is_healed = False
    server = FaultServer(lambda text, *_: fault if text == "GET content" and not is_healed else None, desk=BatchDesk())
    with serving(server):
        run = evaluate(project, server.base_url, "first_token", retries="1", timeout_s="20")
        assert len(run.failures) == WORDINGS
        assert all(message in failure.error for failure in run.failures)
        is_healed = True
        assert len(checked_rows(evaluate(project, server.base_url, "first_token"))) == PROMPTS


def test_openais_own_client_gets_the_same_answers_of_the_server(project: Path) -> None:
    """The server of these tests speaks the protocol: an independent client that checks every shape can use it."""
    import openai

    body = {"model": "m", "messages": [{"role": "user", "content": "one"}]}
    line = {"custom_id": "0a", "method": "POST", "url": "/v1/chat/completions", "body": body}
    desk = BatchDesk(lambda number: ("validating", "failed") if number == 2 else ("validating", "completed"))
    with (
        serving(FaultServer(desk=desk)) as server,
        openai.OpenAI(base_url=server.base_url, api_key="k", _strict_response_validation=True) as client,
    ):
        file = client.files.create(file=json.dumps(line).encode(), purpose="batch")
        made = [
            client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
            for _ in range(3)
        ]
        assert [client.batches.retrieve(each.id).status for each in made] == ["completed", "failed", "completed"]
        assert [each.id for each in client.batches.list(limit=2)] == ["batch_3", "batch_2", "batch_1"]
        assert client.batches.retrieve("batch_2").errors is not None
        output = client.batches.retrieve("batch_1").output_file_id
        assert output is not None
        (text,) = client.files.content(output).text.splitlines()
    assert json.loads(text)["response"]["body"] == chat_answer(body)


def arguments(project: Path, url: str, *options: str) -> list[str]:
    return [
        *("evaluate", "--model", "openai/m", "--base-url", url, "--tasks", str(project / "task.yaml")),
        *("--instructions", f"mine={project / 'wordings.yaml'}", "--out", str(project / "run"), "--batch-api"),
        *("--scoring", "first_token", "--model-arg", "batch_poll_s=0.05", *options),
    ]


def command(project: Path, url: str, *options: str) -> subprocess.Popen[str]:
    call = [sys.executable, "-m", "phraseproof", *arguments(project, url, *options)]
    # Children of a shell's background job ignore Ctrl-C, and their children inherit that.
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, inherited)


def test_ctrl_c_leaves_the_batch_running_and_the_same_command_reads_it(project: Path) -> None:
    desk = BatchDesk(lambda _: ("in_progress",) * 1000)
    with serving(FaultServer(desk=desk)) as server:
        running = command(project, server.base_url)
        while server.requests["GET batch"] < 3 and running.poll() is None:
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
        assert running.returncode == 130, said
        assert "1 batch at the server, 0 of 40 requests done (batch_1 in_progress); waiting for 0 min" in said
        last = said.splitlines()[-1]
        assert last.startswith("stopped: 0 of 40 prompts are stored in")
        assert last.endswith("(batch_1 in_progress), which continues there; the same command continues from there")
        desk.end("batch_1")
        tests = sum(count for text, count in server.requests.items() if text.startswith("Wording"))
        again = command(project, server.base_url, "--no-self-test")
        _, said = again.communicate(timeout=60)
        assert again.returncode == 0, said
    assert (desk.sizes, server.requests["POST batches"]) == ([PROMPTS], 1)
    assert 0 < tests <= 16  # the self-test is not a part of the batch
    assert len(checked_rows_of_run(project)) == PROMPTS


def test_a_dry_run_submits_nothing_and_prices_batches_at_their_share(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prices = project / "prices.yaml"
    prices.write_text("openai/m: {input: 1000, output: 0, batch_share: 0.5}\n")
    found: dict[str, dict[str, float]] = {}
    with serving(FaultServer(desk=BatchDesk())) as server:
        for price in (str(prices), "1000,0"):
            dry = arguments(project, server.base_url, "--dry-run", "--json", "--price-per-million", price)
            done = run_command(capsys, *dry)
            assert ("batch_share: 0.5" in done.err) == (price == "1000,0")
            found[price] = json.loads(done.out)
        done = run_command(capsys, *arguments(project, server.base_url, "--dry-run"))
        assert "unknown  (the batch API answers within 24 hours)" in done.out
    assert not any(text.startswith(("POST", "GET")) for text in server.requests)
    half, full = found[str(prices)], found["1000,0"]
    assert half["requests"] == full["requests"] == PROMPTS
    assert half["price"] == pytest.approx(full["price"] / 2)
    assert full["price"] > 0


def checked_rows_of_run(project: Path) -> list[dict[str, Any]]:
    return load_run(project / "run").outcomes().to_pylist()


def test_models_without_a_server_and_paraphrases_have_no_batches(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = run_command(capsys, *arguments(project, "http://localhost:1/v1", "--model", "scripted"))
    assert "'scripted' is not a model behind a server" in wrong.err
    assert wrong.code == 2
    model: Any = load_model("openai/m", ModelOptions(args={"base_url": "http://localhost:1/v1", "batch_api": "true"}))
    with pytest.raises(UsageError, match="the batch API is for the answers of evaluations"):
        model.generate([Prompt("x")], max_new_tokens=1)
