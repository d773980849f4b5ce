"""One request and its answer: limited in time and size, and every way in which it can fail."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

from phraseproof.errors import ModelError, StoppedError, UsageError
from phraseproof.models.openai.response_body import ACCEPTED_ENCODINGS, BodyError, read_body, read_json
from phraseproof.models.openai.retrying import LONGEST_REQUESTED_WAIT_S, TransientError, retry_after_s
from phraseproof.models.openai.server_settings import ServerSettings
from phraseproof.models.openai.token_limit import wants_other_field

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable

    import anyio
    import httpx

    ReadBody: TypeAlias = Callable[[httpx.Response, anyio.CancelScope], Awaitable[bytes]]

Choice: TypeAlias = Mapping[str, object]
"""What a server answers to one request: a text, with its log-probabilities where they were requested."""

OF_ONE_REQUEST = frozenset({400, 413, 414, 422})
"""HTTP statuses that refuse one request, as one whose prompt is too long, and say nothing about the others."""

_BUSY = frozenset({429, 503})
_MISSING = frozenset({404, 405, 501})
"""HTTP statuses of an address that the server does not have; it may have another one."""


class NoEndpointError(StoppedError):
    """The server has no such endpoint, or no such model. Another endpoint may work."""


class FieldRefusedError(Exception):
    """The server wants the maximum number of tokens in another field of the request."""


class ServerAnswer(NamedTuple):
    """An answer that keeps to the protocol: its only choice, and what the server says that it took."""

    choice: Choice
    usage: object = None


async def _read_body(response: httpx.Response, _scope: anyio.CancelScope) -> bytes:
    return await read_body(response)


class Exchange:
    """Sends single requests to one server.

    Args:
        client: without a time limit of its own.
        settings: address and time limit.
        key: what `Authorization` holds; it is removed from everything that the server says.
    """

    def __init__(self, client: httpx.AsyncClient, settings: ServerSettings, key: str) -> None:
        self._client = client
        self._settings = settings
        self._key = key

    async def post(self, path: str, body: Mapping[str, object]) -> ServerAnswer | ModelError:
        """Send a request for one choice.

        Returns:
            The answer; or an error if the server refuses this request, or its answer cannot be used.

        Raises:
            TransientError: the same request may succeed later.
            FieldRefusedError: the same request may succeed with another field (`token_limit.py`).
            StoppedError: the server refuses every request.
        """
        request = self._client.build_request("POST", self._settings.address(path), json=dict(body))
        try:
            status, content = await self.send(request)
        except BodyError as error:
            return self.refused(str(error))
        if status == 400 and wants_other_field(path, body, content):
            raise FieldRefusedError
        if status in OF_ONE_REQUEST:
            return self.refused(f"the server refuses the request: HTTP {status}", got=said_by(content))
        return self.answer(content)

    async def send(
        self, request: httpx.Request, *, read: ReadBody = _read_body, limit_s: float | None = None
    ) -> tuple[int, bytes]:
        """Send a request and read all of the answer; its status is 200 or concerns this request alone.

        Args:
            request: the request.
            read: reads the body; it may give itself more time.
            limit_s: seconds within which the answer must be complete, if not the settings' own.

        Raises:
            TransientError, StoppedError: as `post`.
            BodyError: the answer is too large, or cannot be unpacked.
        """
        import anyio
        import httpx

        limit_s = limit_s or self._settings.timeout_s
        try:
            # httpx limits single reads only, and a server that sends a byte now and then would never be given up.
            with anyio.fail_after(limit_s) as scope:
                response = await self._client.send(request, stream=True, follow_redirects=False)
                try:
                    content = await read(response, scope)
                finally:
                    with anyio.CancelScope(shield=True), anyio.move_on_after(1):
                        await response.aclose()
        except TimeoutError:
            raise TransientError(f"the server did not answer within {limit_s:g} s", is_lost=True) from None
        except (httpx.ConnectError, httpx.UnsupportedProtocol) as error:
            raise TransientError(f"the server cannot be reached: {error or type(error).__name__}") from None
        except httpx.RequestError as error:
            what = f"the connection was lost: {error or type(error).__name__}"
            raise TransientError(what, is_lost=True) from None
        if scope.cancelled_caught:  # `read` gave itself more time when it was too late: then there is no TimeoutError
            raise TransientError(f"the server did not answer within {limit_s:g} s", is_lost=True)
        self._check(response, content)
        return response.status_code, content

    def _check(self, response: httpx.Response, content: bytes) -> None:
        """Whether the answer has a status that other requests do not share."""
        status = response.status_code
        if status == 200 or status in OF_ONE_REQUEST:
            return
        if status == 429 and b"insufficient_quota" in content:
            raise self._stop("the quota of the key is used up: HTTP 429", got=said_by(content))
        if status in _BUSY or (status >= 500 and status not in _MISSING) or status == 408:
            pause_s = retry_after_s(response.headers)
            if pause_s > LONGEST_REQUESTED_WAIT_S:
                raise self._stop(
                    f"the server is busy (HTTP {status}) and asks for a pause of {pause_s:,.0f} s",
                    expected=f"at most {LONGEST_REQUESTED_WAIT_S:g} s",
                    got=said_by(content),
                )
            what = f"the server answers with HTTP {status}"
            raise TransientError(what, is_busy=status in _BUSY, is_answer=status not in _BUSY, wait_s=pause_s)
        if 300 <= status < 400:
            raise self._stop(
                f"the server redirects (HTTP {status}), and neither the key nor prompts are sent to another address",
                got=response.headers.get("location", "no address")[:200],
                hint="If that is the right server, give its address as --base-url",
            )
        variable = self._settings.key_variable
        hints = {
            401: f"The key is read from the environment variable {variable}"
            + ("" if self._key else ", which is not set"),
            403: f"The key in {variable} may not use this model",
            404: "Check the model's name, and that base_url ends where the protocol's paths begin (often in /v1)",
        }
        kind = NoEndpointError if status in _MISSING else StoppedError
        raise self._stop(f"the server refuses: HTTP {status}", got=said_by(content), hint=hints.get(status), kind=kind)

    def answer(self, content: bytes) -> ServerAnswer | ModelError:
        """The answer in the body of a response, or why there is none.

        Raises:
            TransientError: the body is not whole, or holds the error of a server that is busy or failed.
        """
        try:
            value = read_json(content)
        except ValueError:
            # A proxy that stops in the middle, or sends its own page.
            what = f"the server's answer is not JSON: {self._hidden(said_by(content)[:80])!r}"
            raise TransientError(what, is_lost=True, is_answer=True) from None
        return self.answer_in(value)

    def answer_in(self, value: object) -> ServerAnswer | ModelError:
        """The answer in a body that is JSON, or why there is none.

        Raises:
            TransientError: the body holds the error of a server that is busy or failed.
        """
        found = cast("dict[str, object]", value) if isinstance(value, dict) else {}
        choices = found.get("choices")
        if choices is None and isinstance(found.get("meta_info"), dict):
            return ServerAnswer(found, found["meta_info"])  # of SGLang's own endpoint: the only answer, and its usage
        if "error" in found and not choices:
            code = _error_code(found["error"])
            if code in _BUSY or code >= 500:
                raise TransientError(
                    f"the server answers with error {code}", is_busy=code in _BUSY, is_answer=code not in _BUSY
                )
            return self.refused("the server refuses the request", got=said_in(value))
        if not isinstance(choices, list) or not choices:
            return self.refused("the server's answer is not of OpenAI's protocol", got=said_in(value))
        listed = cast("list[object]", choices)
        if len(listed) > 1:
            return self.refused("the server sends several answers to one request", expected="1", got=str(len(listed)))
        if not isinstance(listed[0], dict):
            return self.refused("the server's answer is not of OpenAI's protocol", got=repr(listed[0])[:200])
        choice = cast("dict[str, object]", listed[0])
        if choice.get("index") not in (None, 0):
            place = repr(choice["index"])[:20]
            return self.refused("the server's answer belongs to another choice", expected="index 0", got=place)
        return ServerAnswer(choice, found.get("usage"))

    def refused(
        self, problem: str, *, expected: str | None = None, got: str | None = None, hint: str | None = None
    ) -> ModelError:
        """Make an error about this server, with the key removed from the server's words."""
        got = None if got is None else self._hidden(got)
        return ModelError(problem, expected=expected, got=got, where=self._settings.base_url, hint=hint)

    def _stop(
        self,
        problem: str,
        *,
        expected: str | None = None,
        got: str,
        hint: str | None = None,
        kind: type[StoppedError] = StoppedError,
    ) -> StoppedError:
        where = self._settings.base_url
        return kind(problem, expected=expected, got=self._hidden(got), where=where, hint=hint)

    def _hidden(self, text: str) -> str:
        return text.replace(self._key, "[the key]") if self._key else text


def new_client(key: str, most_connections: int) -> httpx.AsyncClient:
    """A client that speaks HTTP/2 with servers that offer it, if the package h2 is installed.

    Args:
        key: what `Authorization` holds; empty for none.
        most_connections: the maximum number of connections.
    """
    import httpx

    headers = {"Accept-Encoding": ACCEPTED_ENCODINGS}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    return httpx.AsyncClient(
        headers=headers,
        timeout=None,  # noqa: S113 (`Exchange.send` limits the time)
        http2=find_spec("h2") is not None,
        verify=_trusted(os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", "")),
        limits=httpx.Limits(max_connections=most_connections, max_keepalive_connections=most_connections),
    )


@lru_cache(maxsize=4)
def _trusted(file: str, _folder: str) -> ssl.SSLContext:
    """The certificates to trust, which httpx finds by these variables; reading them takes longer than a request."""
    import httpx

    try:
        return httpx.create_ssl_context()
    except OSError as error:
        raise UsageError(
            f"the certificates to trust cannot be read: {error.strerror or error}",
            where=f"SSL_CERT_FILE={file}" if file else None,
        ) from None


def _error_code(error: object) -> int:
    """The HTTP status in an error that comes with status 200."""
    code = cast("dict[str, object]", error).get("code") if isinstance(error, dict) else None
    text = str(code)
    return int(text) if re.fullmatch(r"[1-5]\d\d", text) else 0


def said_by(content: bytes) -> str:
    """What the server says is wrong, in whichever form its kind says it."""
    try:
        return said_in(read_json(content))
    except ValueError:
        return content[:200].decode(errors="replace")


def said_in(value: object) -> str:
    """What a body that is JSON says is wrong."""
    for key in ("error", "message", "detail"):
        if isinstance(value, dict) and key in value:
            value = cast("dict[str, object]", value)[key]
    return str(value)[:300]
