"""The requests of one call: a bounded number in flight, repeated where that may help, all stopped for one reason."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING

from phraseproof.errors import LimitReachedError, ModelError, NoAnswerError, ServerGoneError, StoppedError
from phraseproof.models.openai.adaptive_limit import AdaptiveLimit
from phraseproof.models.openai.exchange import Exchange, FieldRefusedError, ServerAnswer
from phraseproof.models.openai.retrying import TransientError, wait_s
from phraseproof.models.openai.server_settings import ServerSettings
from phraseproof.models.openai.spending import Spending
from phraseproof.models.openai.token_limit import TokenLimitField, renamed

if TYPE_CHECKING:
    import anyio
    import tenacity

PATIENCE_S = 120.0
"""A request that is refused because the server is busy is repeated while the server has answered any within this time.

After that, and before a server's first answer, `retries` holds.
"""

_MAX_FAILURES_IN_ROW = 8
"""When this number of requests failed after all repetitions, with no answer in between, the others are not sent."""

_CONTINUES = "The same command continues from there"
_CHECK_SERVER = "Check that the server runs, and that --base-url is its address"


class Traffic:
    """Sends the requests of one call.

    Args:
        exchange: sends single requests.
        settings: how often a request is repeated, after which waits.
        limit: how many may be in flight; it lasts longer than the call.
        spending: counts requests and cost.
        field: in which requests limit the answer's tokens; it lasts longer than the call.
    """

    def __init__(
        self,
        exchange: Exchange,
        settings: ServerSettings,
        limit: AdaptiveLimit,
        spending: Spending,
        field: TokenLimitField | None = None,
    ) -> None:
        self._exchange = exchange
        self._settings = settings
        self._limit = limit
        self._spending = spending
        self._field = field or TokenLimitField()
        self._gate = _Gate(limit)
        self._failures_in_row = 0
        self._last_failure = ""
        self.failures = 0
        """How many requests failed after all repetitions."""
        self.stopped: StoppedError | None = None
        """Why no further request is sent."""

    async def ask(self, path: str, body: Mapping[str, object]) -> ServerAnswer | ModelError:
        """Send a request until it is answered.

        Returns:
            The answer; or an error if this request was refused, or failed after all repetitions.

        Raises:
            StoppedError: nothing further is sent.
        """
        import tenacity

        retrying = tenacity.AsyncRetrying(
            stop=self._is_hopeless,
            wait=self._wait_s,
            sleep=self._gate.sleep,
            retry=tenacity.retry_if_exception_type(TransientError),
            reraise=True,
        )
        try:
            return await retrying(self._once, path, body)
        except TransientError as error:
            tries = retrying.statistics["attempt_number"]
            failed, is_answer = f"{error} (tried {tries} times)", error.is_answer
        self.failures += 1
        self._failures_in_row += 1
        self._last_failure = failed
        if self._failures_in_row >= _MAX_FAILURES_IN_ROW:
            self.stop_failed()
        where = self._settings.base_url
        if is_answer:
            return ModelError(failed, where=where, hint=_CONTINUES)
        return NoAnswerError(failed, where=where, hint=_CHECK_SERVER)

    def stop_failed(self) -> None:
        """Send nothing further, because the last request failed after all repetitions and not by itself."""
        self.stop(ServerGoneError(self._last_failure, where=self._settings.base_url, hint=_CHECK_SERVER))

    def stop(self, reason: StoppedError) -> None:
        """Send nothing further. Requests in flight may still be answered."""
        if self.stopped is None:
            self.stopped = reason
            self._gate.close()

    async def _once(self, path: str, body: Mapping[str, object]) -> ServerAnswer | ModelError:
        await self._gate.enter()
        try:
            if self.stopped is not None:
                raise self.stopped
            return await self._sent(path, body)
        finally:
            self._gate.leave()

    async def _sent(self, path: str, body: Mapping[str, object]) -> ServerAnswer | ModelError:
        body = self._field.applied(path, body)
        try:
            return await self._counted(path, body)
        except FieldRefusedError:
            answer = await self._counted(path, renamed(body))
        # A server that names both fields, as in "too large", refuses the other one as well: nothing is remembered.
        if not isinstance(answer, ModelError):
            self._field.is_new = True
        return answer

    async def _counted(self, path: str, body: Mapping[str, object]) -> ServerAnswer | ModelError:
        try:
            ticket = self._spending.take(body)
        except LimitReachedError as error:
            self.stop(error)
            raise
        began_s = self._limit.began()
        try:
            answer = await self._exchange.post(path, body)
        except TransientError as error:
            (self._spending.lost if error.is_lost else self._spending.free)(ticket)
            if error.is_busy or error.is_lost:
                self._limit.refused(began_s)
            self._gate.pause(error.wait_s)
            raise
        except FieldRefusedError:
            self._spending.free(ticket)
            self._limit.answered(began_s)
            raise
        except StoppedError as error:
            self._spending.free(ticket)
            self.stop(error)
            raise
        except BaseException:  # cancelled
            self._spending.lost(ticket)
            raise
        self._limit.answered(began_s)
        self._failures_in_row = 0
        if isinstance(answer, ModelError):
            self._spending.lost(ticket)
        else:
            self._spending.answered(ticket, body, answer.usage)
        return answer

    def _is_hopeless(self, state: tenacity.RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome is not None else None
        is_alive = time.monotonic() - self._limit.last_answer_s < PATIENCE_S
        if isinstance(error, TransientError) and error.is_busy and is_alive:
            return False
        return state.attempt_number > self._settings.retries

    def _wait_s(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome is not None else None
        requested_s = error.wait_s if isinstance(error, TransientError) else 0.0
        return wait_s(state.attempt_number, self._settings.first_wait_s, requested_s)


class _Gate:
    """Lets a number of tasks in that changes, and none during a pause that the server asks for."""

    def __init__(self, limit: AdaptiveLimit) -> None:
        self._limit = limit
        self._inside = 0
        self._waiting: deque[anyio.Event] = deque()
        self._paused_until_s = 0.0
        self._closed: anyio.Event | None = None
        self._is_closed = False

    async def enter(self) -> None:
        """Wait for a place, or until the gate is closed. `leave` must follow."""
        import anyio

        while not self._is_closed:
            pause_s = self._paused_until_s - time.monotonic()
            if pause_s > 0:
                await self.sleep(pause_s)
            elif self._inside < self._limit.now:
                break
            else:
                place = anyio.Event()
                self._waiting.append(place)
                await place.wait()
        self._inside += 1

    def leave(self) -> None:
        """Give the place back."""
        self._inside -= 1
        for _ in range(min(len(self._waiting), max(0, self._limit.now - self._inside))):
            self._waiting.popleft().set()

    def pause(self, seconds: float) -> None:
        """Let no task in for this time."""
        self._paused_until_s = max(self._paused_until_s, time.monotonic() + seconds)

    def close(self) -> None:
        """End every wait."""
        self._is_closed = True
        if self._closed is not None:
            self._closed.set()
        while self._waiting:
            self._waiting.popleft().set()

    async def sleep(self, seconds: float) -> None:
        """Wait this time, or until the gate is closed."""
        import anyio

        if self._closed is None:
            self._closed = anyio.Event()
        if not self._is_closed:
            with anyio.move_on_after(seconds):
                await self._closed.wait()
