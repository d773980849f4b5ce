"""Requests to a server of models, with time-outs, repetitions and one-line errors."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, Any, NamedTuple

from phraseproof.errors import MissingExtraError, ModelError

if TYPE_CHECKING:
    import httpx
    import tenacity

DEFAULT_BASE_URL = "https://api.openai.com/v1"
DEFAULT_KEY_VARIABLE = "OPENAI_API_KEY"

_LONGEST_WAIT_S = 60.0


class ServerSettings(NamedTuple):
    """How a server is reached.

    Attributes:
        base_url: everything before `/chat/completions`.
        key_variable: the environment variable that holds the key; if it is not set, no key is sent.
        timeout_s: seconds to wait for one answer.
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
        try:
            import httpx
            import tenacity
        except ImportError as error:
            raise MissingExtraError("a model behind an HTTP server", extra="api", package=error.name or "") from None
        self.settings = settings
        self._timeout: httpx.Timeout = httpx.Timeout(settings.timeout_s)
        self._key = os.environ.get(settings.key_variable, "").strip()
        self._retrying: tenacity.Retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(settings.retries + 1),
            wait=self._wait_s,
            retry=tenacity.retry_if_exception_type(_TransientError),
            reraise=True,
        )

    def post_all(self, path: str, bodies: Sequence[Mapping[str, object]]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the index and JSON answer of every request, in the order of arrival; the first failure stops all.

        Raises:
            ModelError: the server cannot be reached, refuses, or does not follow the protocol.
        """
        import httpx

        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        with (
            httpx.Client(headers=headers, timeout=self._timeout) as client,
            ThreadPoolExecutor(max_workers=self.settings.concurrency) as pool,
        ):
            futures = {pool.submit(self._post, client, path, body): index for index, body in enumerate(bodies)}
            try:
                for future in as_completed(futures):
                    yield futures[future], future.result()
            finally:
                pool.shutdown(cancel_futures=True)

    def refused(self, problem: str, *, got: str | None = None, hint: str | None = None) -> ModelError:
        """Make an error about this server, with the key removed from the server's words."""
        if got is not None and self._key:
            got = got.replace(self._key, "[the key]")
        return ModelError(problem, got=got, where=self.settings.base_url, hint=hint)

    def _post(self, client: httpx.Client, path: str, body: Mapping[str, object]) -> dict[str, object]:
        try:
            return self._retrying.copy()(self._post_once, client, path, body)
        except _TransientError as error:
            raise ModelError(
                f"{error} (tried {self.settings.retries + 1} times)",
                where=self.settings.base_url,
                hint="The same command continues from there",
            ) from None

    def _post_once(self, client: httpx.Client, path: str, body: Mapping[str, object]) -> dict[str, object]:
        import httpx

        try:
            response = client.post(self.settings.base_url + path, json=dict(body))
        except httpx.TimeoutException:
            raise _TransientError(f"the server did not answer within {self.settings.timeout_s:g} s") from None
        except httpx.TransportError as error:
            raise _TransientError(f"the server cannot be reached: {error or type(error).__name__}") from None
        status = response.status_code
        if status == 429 or status >= 500:
            raise _TransientError(f"the server answers with HTTP {status}", _retry_after_s(response))
        if status != 200:
            raise self._refusal(status, _message(response))
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or not answer.get("choices"):
            raise self.refused("the server's answer is not of OpenAI's protocol", got=response.text[:200])
        return answer

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


def _message(response: httpx.Response) -> str:
    """The server's error message; servers put it under different keys."""
    try:
        said: Any = response.json()
    except ValueError:
        return response.text[:200]
    for key in ("error", "message", "detail"):
        if isinstance(said, dict) and key in said:
            said = said[key]
    return str(said)[:300]
