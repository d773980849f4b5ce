"""Single requests of the batch API: each works, is repeated, or stops with one line."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from phraseproof.errors import StoppedError
from phraseproof.models.openai.batch import calls
from phraseproof.models.openai.batch.calls import BatchCalls, BatchState
from phraseproof.models.openai.exchange import Exchange, new_client
from phraseproof.models.openai.server_settings import ServerSettings
from support.batch_desk import BatchDesk
from support.fault_server import Fault, FaultServer, serving

BODY = {"messages": [{"role": "user", "content": "one"}]}
LINE = {"custom_id": "0a", "method": "POST", "url": "/v1/chat/completions", "body": BODY}
INPUT = json.dumps(LINE).encode() + b"\n"
OPERATIONS = ("POST files", "POST batches", "GET batch", "GET content")


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "wait_s", lambda attempt, first_s, requested_s: requested_s + 0.001 * attempt)
    monkeypatch.setattr(calls, "PATIENCE_S", 0.0)


def asked(base_url: str, work: Callable[[BatchCalls], Awaitable[Any]], *, timeout_s: float = 20.0) -> Any:
    """The result of some calls."""

    async def run() -> Any:
        made = ServerSettings(base_url, retries=1, timeout_s=timeout_s)
        async with new_client("the-key", 2) as client:
            return await work(BatchCalls(client, Exchange(client, made, "the-key"), made))

    return asyncio.run(run())


async def all_steps(batch: BatchCalls) -> tuple[BatchState, bytes]:
    file_id = await batch.upload(io.BytesIO(INPUT), len(INPUT))
    state = await batch.submit(file_id, "/chat/completions", 0.0, may_exist=False)
    while state.status != "completed":
        state = await batch.state(state.id)
    target = io.BytesIO()
    assert await batch.download(state.files[0], target, 10_000) is None
    return state, target.getvalue()


def test_the_steps_of_a_batch() -> None:
    with serving(FaultServer(desk=BatchDesk())) as server:
        state, content = asked(server.base_url, all_steps)
    assert (state.id, state.status, state.done, state.total) == ("batch_1", "completed", 1, 1)
    (line,) = map(json.loads, content.splitlines())
    assert line["custom_id"] == "0a"
    assert line["response"]["body"]["choices"][0]["message"]["content"]


STOPS = [
    (Fault("status", 401), "HTTP 401"),
    (Fault("status", 403), "HTTP 403"),
    (Fault("status", 404), "no batch API|lists no batches|does not know the batch|HTTP 404"),
    (Fault("status", 307, (("location", "http://127.0.0.1:9/v1"),)), "redirects .HTTP 307"),
    (Fault("status", 400), "HTTP 400"),
    (Fault("status", 429, (("retry-after", "7200"),)), "a pause of 7,200 s"),
    (Fault("status", 429), "HTTP 429 .tried 2 times"),
    (Fault("status", 500), "HTTP 500 .tried 2 times"),
    (Fault("reset"), "connection was lost.*tried 2 times"),
    (Fault("cut"), "connection was lost.*tried 2 times"),
    (Fault("half"), "not JSON .tried 2 times"),
]


@pytest.mark.parametrize(
    ("operation", "fault", "message"),
    [
        (operation, *stop)
        for operation in OPERATIONS
        for stop in STOPS
        # An answer that does not come in full is looked up in the list of batches; a file may be cut without notice.
        if not (operation == "POST batches" and stop[0].kind in {"cut", "half"})
        and (operation, stop[0].kind) != ("GET content", "half")
    ],
)
def test_a_failure_that_does_not_pass_stops_with_one_line(operation: str, fault: Fault, message: str) -> None:
    desk = BatchDesk()
    with (
        serving(FaultServer(lambda text, *_: fault if text == operation else None, desk=desk)) as server,
        pytest.raises(StoppedError, match=message) as caught,
    ):
        asked(server.base_url, all_steps)
    assert "\n" not in str(caught.value)
    assert "the-key" not in str(caught.value)
    assert server.requests[operation] == (2 if "tried" in message else 1)


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each != "POST batches"])
def test_a_slow_answer_is_given_up(operation: str) -> None:
    with (
        serving(FaultServer(lambda text, *_: Fault("drip") if text == operation else None, desk=BatchDesk())) as server,
        pytest.raises(StoppedError, match=r"did not answer within .* s .tried 2 times"),
    ):
        asked(server.base_url, all_steps, timeout_s=0.5)


@pytest.mark.parametrize("operation", OPERATIONS[:-1])
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault("bomb"), "too large"),
        (Fault("body", change=lambda _: [1]), "not of OpenAI's batch API"),
        (Fault("body", change=lambda _: {}), "id is missing or no name"),
        (Fault("body", change=lambda right: right | {"id": "../secret"}), "id is missing or no name"),
        (Fault("body", change=lambda right: right | {"id": 7}), "id is missing or no name"),
    ],
)
def test_an_answer_of_another_shape_stops_with_one_line(operation: str, fault: Fault, message: str) -> None:
    with (
        serving(FaultServer(lambda text, *_: fault if text == operation else None, desk=BatchDesk())) as server,
        pytest.raises(StoppedError, match=message),
    ):
        asked(server.base_url, all_steps)


def test_the_state_of_another_batch_is_refused() -> None:
    other = Fault("body", change=lambda right: right | {"id": "batch_7"})
    with (
        serving(FaultServer(lambda text, *_: other if text == "GET batch" else None, desk=BatchDesk())) as server,
        pytest.raises(StoppedError, match=r"another batch .expected batch_1, got batch_7"),
    ):
        asked(server.base_url, all_steps)


def test_a_submission_whose_answer_was_lost_is_found_among_all_batches() -> None:
    desk = BatchDesk()
    lost = {4}  # the number of the submission
    with serving(
        FaultServer(lambda text, n, _: Fault("lost") if text == "POST batches" and n in lost else None, desk=desk)
    ) as server:

        async def several(batch: BatchCalls) -> list[str]:
            found: list[str] = []
            for _ in range(6):
                file_id = await batch.upload(io.BytesIO(INPUT), len(INPUT))
                found.append((await batch.submit(file_id, "/chat/completions", 0.0, may_exist=False)).id)
            first = await batch.submit("file-1", "/chat/completions", 0.0, may_exist=True)  # on the third page
            return [*found, first.id]

        assert asked(server.base_url, several) == [f"batch_{n}" for n in (1, 2, 3, 4, 5, 6, 1)]
    assert len(desk.batches) == 6
    assert server.requests["GET batches"] == 1 + 3


@pytest.mark.parametrize("kind", ["cut", "drip", "half", "lost"])
def test_a_submission_whose_answer_is_not_whole_is_not_repeated(kind: str) -> None:
    desk = BatchDesk()
    with serving(FaultServer(lambda text, *_: Fault(kind) if text == "POST batches" else None, desk=desk)) as server:
        assert asked(server.base_url, all_steps, timeout_s=1.0)[0].id == "batch_1"
    assert (len(desk.batches), server.requests["POST batches"]) == (1, 1)


def test_where_batches_cannot_be_listed_a_lost_submission_is_not_repeated() -> None:
    faults = {"POST batches": Fault("lost"), "GET batches": Fault("status", 404)}
    desk = BatchDesk()
    with (
        serving(FaultServer(lambda text, *_: faults.get(text), desk=desk)) as server,
        pytest.raises(StoppedError, match="not known whether the file file-1 was submitted"),
    ):
        asked(server.base_url, all_steps)
    assert len(desk.batches) == 1


def test_a_file_larger_than_expected_or_cut_gives_a_reason() -> None:
    desk = BatchDesk()
    with serving(FaultServer(desk=desk)) as server:

        async def download(batch: BatchCalls, text: str, most: int) -> str | None:
            desk.text = lambda _: text
            state = await all_steps_but_the_last(batch)
            return await batch.download(state.files[0], io.BytesIO(), most)

        assert "too large" in asked(server.base_url, lambda batch: download(batch, "{}\n" * 100, 200))
        assert "ends within a line" in asked(server.base_url, lambda batch: download(batch, '{}\n{"a', 200))
        assert asked(server.base_url, lambda batch: download(batch, "{}\n{}", 200)) is None


async def all_steps_but_the_last(batch: BatchCalls) -> BatchState:
    file_id = await batch.upload(io.BytesIO(INPUT), len(INPUT))
    state = await batch.submit(file_id, "/chat/completions", 0.0, may_exist=False)
    while state.status != "completed":
        state = await batch.state(state.id)
    return state


def test_a_server_that_has_answered_is_asked_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "PATIENCE_S", 60.0)

    def fault(text: str, attempt: int, _: int) -> Fault | None:
        return Fault("status", 500) if text == "GET batch" and attempt < 20 else None

    with serving(FaultServer(fault, desk=BatchDesk())) as server:
        state, _ = asked(server.base_url, all_steps)
    assert state.status == "completed"
    assert server.requests["GET batch"] > 20
