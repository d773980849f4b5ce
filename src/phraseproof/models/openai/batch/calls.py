"""The requests of the batch API: upload, submit, ask for the state, download."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, TypeVar, cast

from phraseproof.errors import ServerGoneError, StoppedError
from phraseproof.models.openai.batch.output import is_whole
from phraseproof.models.openai.exchange import Exchange, NoEndpointError, said_by
from phraseproof.models.openai.response_body import BodyError, read_body, read_json, unpacked
from phraseproof.models.openai.retrying import TransientError, wait_s
from phraseproof.models.openai.server_settings import ServerSettings

if TYPE_CHECKING:
    import anyio
    import httpx

PATIENCE_S = 1800.0
"""A server that has answered before is asked again for so long: batches take hours, and continue without us."""

ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
"""The states in which a batch does not change any more."""

_SLOWEST_BYTES_PER_S = 1000.0
_SLACK_S = 86_400.0
"""The clocks of server and client may differ by this time."""

_MAX_PAGES = 1000
_NO_API = "Leave out --batch-api to send requests one by one"
_SUBMIT_AGAIN = "remove answers.sqlite from the run folder to submit the requests again"
_CONTINUES = "Batches continue at the server; the same command reads their answers"

T = TypeVar("T")


class BatchState(NamedTuple):
    """What the server says of a batch.

    Attributes:
        id: the server's name of the batch.
        status: such as `in_progress`; servers may have others than OpenAI's.
        input_file: the server's name of the file of requests.
        files: of answers and of errors, those that there are.
        done, total: requests.
        problems: code and text of every reason for which the server refuses the whole batch.
    """

    id: str
    status: str
    input_file: str
    files: tuple[str, ...] = ()
    done: int = 0
    total: int = 0
    problems: tuple[tuple[str, str], ...] = ()


class BatchCalls:
    """Sends the requests of the batch API, and repeats those that fail for a passing reason."""

    def __init__(self, client: httpx.AsyncClient, exchange: Exchange, settings: ServerSettings) -> None:
        self._client = client
        self._exchange = exchange
        self._settings = settings
        self._url = settings.base_url
        self._has_answered = False

    async def upload(self, file: BinaryIO, size: int) -> str:
        """Upload a file of requests; returns the server's name of it."""
        limit_s = self._settings.timeout_s + size / _SLOWEST_BYTES_PER_S

        async def once() -> str:
            file.seek(0)
            content = {"file": ("phraseproof.jsonl", file, "application/jsonl")}
            request = self._client.build_request("POST", f"{self._url}/files", data={"purpose": "batch"}, files=content)
            return self._text(await self._json(request, limit_s=limit_s), "id")

        try:
            return await self._repeated(once)
        except NoEndpointError as error:
            raise self._stop("the server offers no batch API", got=error.problem, hint=_NO_API) from None

    async def submit(self, file_id: str, path: str, planned_s: float, *, may_exist: bool) -> BatchState:
        """Submit an uploaded file, unless the server has a batch of it.

        Args:
            file_id: the server's name of the file.
            path: of the endpoint that answers the requests.
            planned_s: when the batch was planned.
            may_exist: the file may have been submitted before, and the server's answer may be lost.
        """
        body = {"input_file_id": file_id, "endpoint": f"/v1{path}", "completion_window": "24h"}

        async def once() -> BatchState:
            nonlocal may_exist
            if may_exist and (found := await self._find(file_id, planned_s)) is not None:
                return found
            request = self._client.build_request("POST", f"{self._url}/batches", json=body)
            try:
                return self._state(await self._json(request))
            except TransientError as error:
                # A busy server has sent the request back. After other failures it may have the batch nevertheless.
                may_exist = may_exist or not error.is_busy
                raise

        return await self._repeated(once)

    async def state(self, batch_id: str) -> BatchState:
        """The state of a batch."""

        async def once() -> BatchState:
            found = self._state(await self._json(self._client.build_request("GET", f"{self._url}/batches/{batch_id}")))
            if found.id != batch_id:
                raise self._stop("the server answers with another batch", expected=batch_id, got=found.id)
            return found

        try:
            return await self._repeated(once)
        except NoEndpointError as error:
            raise self._stop(
                f"the server does not know the batch {batch_id}",
                got=error.problem,
                hint=f"Use the key and project that submitted it; or {_SUBMIT_AGAIN}",
            ) from None

    async def download(self, file_id: str, target: BinaryIO, most_bytes: int) -> str | None:
        """Download a file; returns why it cannot be read in full, if so.

        Args:
            file_id: the server's name of the file.
            target: receives the content.
            most_bytes: a larger file is not read.
        """

        async def once() -> None:
            target.seek(0)
            target.truncate()
            request = self._client.build_request("GET", f"{self._url}/files/{file_id}/content")

            async def read(response: httpx.Response, scope: anyio.CancelScope) -> bytes:
                if response.status_code != 200:
                    return await read_body(response)
                async for chunk in unpacked(response, most_bytes):
                    target.write(chunk)
                    scope.deadline += len(chunk) / _SLOWEST_BYTES_PER_S
                return b""

            status, content = await self._exchange.send(request, read=read)
            if status != 200:
                raise self._stop(f"the server refuses a file of answers: HTTP {status}", got=said_by(content))
            if not is_whole(target):
                raise _CutError("the file of answers ends within a line")

        cuts = 0
        while True:
            try:
                await self._repeated(once)
            except BodyError as error:
                return str(error)
            except _CutError as error:
                cuts += 1
                if cuts > self._settings.retries:
                    return str(error)
                await self._wait(cuts)
            else:
                return None

    async def _find(self, file_id: str, planned_s: float) -> BatchState | None:
        """The batch of an uploaded file, if the server lists one."""
        after: dict[str, str] = {}
        for _ in range(_MAX_PAGES):
            request = self._client.build_request("GET", f"{self._url}/batches", params={"limit": "100", **after})
            try:
                found = await self._json(request)
            except NoEndpointError as error:
                raise self._stop(
                    f"the server lists no batches, so it is not known whether the file {file_id} was submitted",
                    got=error.problem,
                    hint=f"If it was not, {_SUBMIT_AGAIN}",
                ) from None
            listed = found.get("data")
            if not isinstance(listed, list):
                raise self._stop("the server's list of batches is not of OpenAI's protocol", got=repr(found)[:200])
            batches = [_mapping(each) for each in cast("list[object]", listed)]
            for batch in batches:
                if batch.get("input_file_id") == file_id:
                    return self._state(batch)
            if not batches or found.get("has_more") is not True:
                return None
            if 0 < _seconds(batches[-1].get("created_at")) < planned_s - _SLACK_S:  # the newest ones come first
                return None
            after = {"after": self._text(batches[-1], "id")}
        return None

    async def _json(self, request: httpx.Request, *, limit_s: float | None = None) -> Mapping[str, object]:
        try:
            status, content = await self._exchange.send(request, limit_s=limit_s)
        except BodyError as error:
            raise self._stop(str(error)) from None
        if status != 200:
            raise self._stop(f"the server refuses: HTTP {status}", got=said_by(content))
        try:
            found = read_json(content)
        except ValueError:
            raise TransientError("the server's answer is not JSON", is_lost=True, is_answer=True) from None
        if not isinstance(found, dict):
            raise self._stop("the server's answer is not of OpenAI's batch API", got=repr(found)[:200])
        return cast("Mapping[str, object]", found)

    async def _repeated(self, once: Callable[[], Awaitable[T]]) -> T:
        """Repeat until it succeeds, while there is hope.

        Raises:
            StoppedError: the server refuses, or did not answer for too long.
        """
        began_s, attempt = time.monotonic(), 0
        while True:
            try:
                found = await once()
            except TransientError as error:
                attempt += 1
                patience_s = PATIENCE_S if self._has_answered else 0.0
                if attempt > self._settings.retries and time.monotonic() - began_s >= patience_s:
                    problem = f"{error} (tried {attempt} times)"
                    raise ServerGoneError(problem, where=self._url, hint=_CONTINUES) from None
                await self._wait(attempt, error.wait_s)
            else:
                self._has_answered = True
                return found

    async def _wait(self, attempt: int, requested_s: float = 0.0) -> None:
        import anyio

        await anyio.sleep(wait_s(attempt, self._settings.first_wait_s, requested_s))

    def _state(self, found: Mapping[str, object]) -> BatchState:
        counts = _mapping(found.get("request_counts"))
        files = [name for name in ("output_file_id", "error_file_id") if found.get(name)]
        errors = _mapping(found.get("errors")).get("data")
        problems = [_mapping(each) for each in cast("list[object]", errors)] if isinstance(errors, list) else []
        return BatchState(
            id=self._text(found, "id"),
            status=self._text(found, "status"),
            input_file=self._text(found, "input_file_id"),
            files=tuple(self._text(found, name) for name in files),
            done=_count(counts.get("completed")) + _count(counts.get("failed")),
            total=_count(counts.get("total")),
            problems=tuple((str(each.get("code")), str(each.get("message"))[:300]) for each in problems),
        )

    def _text(self, found: Mapping[str, object], name: str) -> str:
        """A name in the server's answer; it becomes a part of addresses."""
        value = found.get(name)
        if not isinstance(value, str) or not re.fullmatch(r"\w[\w.:-]*", value, re.ASCII):
            raise self._stop(
                f"the server's answer is not of OpenAI's batch API: {name} is missing or no name", got=repr(found)[:200]
            )
        return value

    def _stop(
        self, problem: str, *, expected: str | None = None, got: str | None = None, hint: str | None = None
    ) -> StoppedError:
        refused = self._exchange.refused(problem, expected=expected, got=got, hint=hint)
        return StoppedError(
            refused.problem, expected=refused.expected, got=refused.got, where=refused.where, hint=refused.hint
        )


class _CutError(Exception):
    """A file that came in full by the rules of HTTP, and ends within a line."""


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


def _seconds(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
