"""Requests to a server of models: limited in time and size, repeated where that may help, every failure one line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from queue import SimpleQueue
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

from phraseproof.errors import MissingExtraError, ModelError, UsageError
from phraseproof.models.openai.response_body import ACCEPTED_ENCODINGS, BodyError, read_body, read_json

if TYPE_CHECKING:
    import httpx
    import tenacity

DEFAULT_BASE_URL = "https://api.openai.com/v1"
DEFAULT_KEY_VARIABLE = "OPENAI_API_KEY"

_LONGEST_WAIT_S = 60.0
_OF_ONE_REQUEST = frozenset({400, 413, 414, 422})
"""HTTP statuses that refuse one request, as one whose prompt is too long, and say nothing about the others."""

_MAX_FAILURES_AT_FIRST = 8
"""If the first requests, this many, all fail, the others are not sent."""

Choice: TypeAlias = Mapping[str, object]
"""What a server answers to one request: a text, with its log-probabilities where they were requested."""


class ServerSettings(NamedTuple):
    """How a server is reached.

    Attributes:
        base_url: everything before `/chat/completions`.
        key_variable: the environment variable that holds the key; none is sent where it is not set.
        timeout_s: seconds within which one answer must be complete.
        retries: how often a request is repeated after a time-out, a lost connection, 429 or 5xx.
        concurrency: the number of simultaneous requests.
        first_wait_s: seconds before the first repetition; doubled for each further one, up to a minute.
    """

    base_url: str = DEFAULT_BASE_URL
    key_variable: str = DEFAULT_KEY_VARIABLE
    timeout_s: float = 120.0
    retries: int = 5
    concurrency: int = 4
    first_wait_s: float = 1.0


class _TransientError(Exception):
    """A failure that may disappear when the request is repeated."""

    def __init__(self, what: str, wait_s: float = 0.0) -> None:
        super().__init__(what)
        self.wait_s = wait_s


class Server:
    """Sends requests to one server and repeats those that fail for a passing reason; every error is one line."""

    def __init__(self, settings: ServerSettings) -> None:
        for package in ("anyio", "httpx", "tenacity"):
            if find_spec(package) is None:
                raise MissingExtraError("a model behind an HTTP server", extra="api", package=package)
        import tenacity

        self.settings = settings
        self._key = os.environ.get(settings.key_variable, "").strip()
        if not (self._key.isascii() and self._key.isprintable()):
            raise UsageError("the key holds characters that no HTTP header can", where=settings.key_variable)
        self._retrying: tenacity.AsyncRetrying = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(settings.retries + 1),
            wait=self._wait_s,
            retry=tenacity.retry_if_exception_type(_TransientError),
            reraise=True,
        )

    def post_all(self, path: str, bodies: Sequence[Mapping[str, object]]) -> Iterator[tuple[int, Choice | ModelError]]:
        """Index and answer of every request, in the order in which answers come.

        A request that the server refuses by itself, or an answer that cannot be used, gives its error, and the others
        go on.

        Raises:
            ModelError: the server cannot be reached, does not answer in time, or refuses every request.
        """
        from anyio.from_thread import start_blocking_portal

        found: SimpleQueue[tuple[int, Choice | ModelError] | None] = SimpleQueue()
        failed, succeeded = 0, False
        # Requests run in another thread: leaving this generator, also by Ctrl-C, cancels them.
        with start_blocking_portal() as portal:
            running = portal.start_task_soon(self._send_all, path, bodies, found.put)
            running.add_done_callback(lambda _: found.put(None))
            while (item := found.get()) is not None:
                if not isinstance(item[1], ModelError):
                    succeeded = True
                elif not succeeded:
                    failed += 1
                    if failed >= _MAX_FAILURES_AT_FIRST:
                        raise item[1]
                yield item
            running.result()

    def refused(self, problem: str, *, got: str | None = None, hint: str | None = None) -> ModelError:
        """Make an error about this server, with the key removed from the server's words."""
        if got is not None and self._key:
            got = got.replace(self._key, "[the key]")
        return ModelError(problem, got=got, where=self.settings.base_url, hint=hint)

    async def _send_all(
        self,
        path: str,
        bodies: Sequence[Mapping[str, object]],
        put: Callable[[tuple[int, Choice | ModelError]], None],
    ) -> None:
        import anyio
        import httpx

        headers = {"Accept-Encoding": ACCEPTED_ENCODINGS}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        waiting = iter(enumerate(bodies))
        failures: list[Exception] = []

        async def work(client: httpx.AsyncClient, scope: anyio.CancelScope) -> None:
            for index, body in waiting:
                try:
                    put((index, await self._post(client, path, body)))
                except Exception as error:  # noqa: BLE001 (raised below; a task group would raise a group of them)
                    failures.append(error)
                    scope.cancel()

        async with (
            httpx.AsyncClient(headers=headers, timeout=None) as client,  # noqa: S113 (`_post_once` limits the time)
            anyio.create_task_group() as group,
        ):
            for _ in range(min(self.settings.concurrency, len(bodies))):
                group.start_soon(work, client, group.cancel_scope)
        if failures:
            raise failures[0]

    async def _post(self, client: httpx.AsyncClient, path: str, body: Mapping[str, object]) -> Choice | ModelError:
        try:
            return await self._retrying.copy()(self._post_once, client, path, body)
        except _TransientError as error:
            raise ModelError(
                f"{error} (tried {self.settings.retries + 1} times)",
                where=self.settings.base_url,
                hint="The same command continues from there",
            ) from None

    async def _post_once(self, client: httpx.AsyncClient, path: str, body: Mapping[str, object]) -> Choice | ModelError:
        import anyio
        import httpx

        try:
            # httpx limits single reads only, and a server that sends a byte now and then would never be given up.
            with anyio.fail_after(self.settings.timeout_s):
                async with client.stream("POST", self.settings.base_url + path, json=dict(body)) as response:
                    content = await read_body(response)
        except TimeoutError:
            raise _TransientError(f"the server did not answer within {self.settings.timeout_s:g} s") from None
        except httpx.RequestError as error:
            raise _TransientError(f"the server cannot be reached: {error or type(error).__name__}") from None
        except BodyError as error:
            return self.refused(str(error))
        status = response.status_code
        if status == 429 or status >= 500:
            raise _TransientError(f"the server answers with HTTP {status}", _retry_after_s(response))
        if status in _OF_ONE_REQUEST:
            return self._refusal(status, _message(content))
        if status != 200:
            raise self._refusal(status, _message(content))
        return self._choice(content)

    def _choice(self, content: bytes) -> Choice | ModelError:
        """The answer in the body of a response, or why there is none."""
        try:
            answer = read_json(content)
        except ValueError:
            answer = None
        choices = cast("dict[str, object]", answer).get("choices") if isinstance(answer, dict) else None
        if not isinstance(choices, list) or not choices:
            return self.refused("the server's answer is not of OpenAI's protocol", got=_message(content))
        found = cast("list[object]", choices)
        if len(found) > 1:
            return self.refused("the server sends several answers to one request", got=str(len(found)))
        if not isinstance(found[0], dict):
            return self.refused("the server's answer is not of OpenAI's protocol", got=repr(found[0])[:200])
        return cast("dict[str, object]", found[0])

    def _refusal(self, status: int, message: str) -> ModelError:
        variable = self.settings.key_variable
        hints = {
            401: f"The key is read from the environment variable {variable}"
            + ("" if self._key else ", which is not set"),
            403: f"The key in {variable} may not use this model",
            404: "Check the model's name, and that base_url ends where the protocol's paths begin (often in /v1)",
        }
        return self.refused(f"the server refuses: HTTP {status}", got=message, hint=hints.get(status))

    def _wait_s(self, state: tenacity.RetryCallState) -> float:
        asked = 0.0
        if state.outcome is not None and isinstance(error := state.outcome.exception(), _TransientError):
            asked = error.wait_s
        return min(_LONGEST_WAIT_S, max(asked, self.settings.first_wait_s * 2 ** (state.attempt_number - 1)))


def _retry_after_s(response: httpx.Response) -> float:
    try:
        return max(0.0, float(response.headers.get("retry-after", "0")))
    except ValueError:  # the header may also be a date; our own waiting time is used then
        return 0.0


def _message(content: bytes) -> str:
    """What the server says is wrong, in whichever form its kind says it."""
    try:
        said = read_json(content)
    except ValueError:
        return content[:200].decode(errors="replace")
    for key in ("error", "message", "detail"):
        if isinstance(said, dict) and key in said:
            said = cast("dict[str, object]", said)[key]
    return str(said)[:300]
