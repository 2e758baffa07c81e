"""Watches the stream of a protected call: tells the plan how it ends, and goes on with another response.

Events before the first content are held back until it comes. Where the stream breaks before that, another attempt may
follow, and the app sees one stream that took longer. What follows after the first content, `recovery` says.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal
from weakref import ref

import anthropic

from claudescope._internal import internal_errors
from claudescope.probe.attempts import error_type_of
from claudescope.probe.deferred import DEFERRED_ENDINGS
from claudescope.probe.response import field_of
from claudescope.probe.sdk import is_stream
from claudescope.probe.streams import unwatch_body
from claudescope.resilience.drivers.recovery import Recovery
from claudescope.resilience.drivers.watch import Observer, Watch, watched
from claudescope.resilience.errors import StreamTimeoutError, StreamTruncatedError

if TYPE_CHECKING:
    from claudescope.resilience.drivers.patience import Patience
    from claudescope.resilience.drivers.session import Session

__all__ = ["StreamGuard"]

_BEFORE_CONTENT: Final = frozenset({"message_start", "content_block_start", "ping"})


class StreamGuard:
    """The stream of a protected call, over all its responses.

    Args:
        session: The call.
        restart: Carries out what the plan says until there is another result of the SDK, or raises what the app gets.
            Of an async call, it returns an awaitable.
        is_chat: Whether a model answers, so that the stream has a `message_stop`.

    Attributes:
        parsing: Whether a `Stream` of the SDK parses the body.
        inside: Whether the SDK runs inside the stream now, and not the app.
        may_restart: Whether no content has come yet.
        recovery: What may follow after that; None where the error is raised.
    """

    def __init__(self, session: Session, restart: Callable[[Session], Any], *, is_chat: bool) -> None:
        self._session = session
        self._restart = restart
        self.is_chat = is_chat
        self.parsing = False
        self.inside = False
        self.may_restart = is_chat
        recovers = is_chat and (session.strategy is not None or session.rounds > 0)
        self.recovery = Recovery(session.strategy, session.body, session.rounds) if recovers else None
        self._stopped = False
        self._over = False
        self._watch: Watch | None = None
        self._observer: Observer | None = None
        self._patience: Patience | None = None
        self._stream: Callable[[], Any] = type(None)

    @property
    def may_go_on(self) -> bool:
        """Whether another response may follow where this one fails now."""
        return self.may_restart or (self.recovery is not None and not self._over and self.recovery.may_go_on)

    def attach(self, response: Any) -> None:
        """Watch a response that has just come, before the SDK makes anything of it."""
        if self._watch is not None:
            self._watch.is_current = False
        self._watch = watched(response, self)
        self._patience = self._session.patience(response) if self.is_chat else None

    def returned(self, response: Any, result: Any) -> None:
        """The SDK has made `result` of the response, for the app."""
        if is_stream(result):
            self._stream = ref(result)
        self._observe(response)
        DEFERRED_ENDINGS.start()

    def _observe(self, response: Any) -> None:
        observer = getattr(getattr(response, "stream", None), "stream_observer", None)
        if observer is not None and not isinstance(observer, Observer):
            self._observer = response.stream.stream_observer = Observer(observer, self)

    # --- how it ends --------------------------------------------------------------------------------------------

    def ended(self, error_type: str | None) -> None:
        """The stream is over, for the app too. Only the first end counts. Never raises."""
        if self._over:
            return
        self._over = True
        self.may_restart = False
        self._session.over()
        try:
            self._session.plan.stream_ended(error_type)
        except Exception:  # noqa: BLE001 - an internal error must not reach the app
            internal_errors.record("resilience")

    def failed(self, error: BaseException) -> None:
        """Reading the stream raised."""
        if isinstance(error, Exception):
            self.ended(error_type_of(error, streaming=True))
        else:
            self.closed()

    def closed(self) -> None:
        """The app closed the stream, or stopped reading it."""
        if self._over:
            return
        if self._stopped:
            self.ended(None)
            return
        self._over = True
        self._session.cancelled()

    def dropped(self) -> None:
        """The app dropped the stream. May run in a finaliser, so it takes no lock: it queues."""
        if not self._over:
            DEFERRED_ENDINGS.later(self.closed)

    # --- its events ---------------------------------------------------------------------------------------------

    def _take(self, event: Any, held: list[Any], stream: Any) -> Sequence[Any]:
        """Take an event of the response. Returns what the app gets now."""
        kind = field_of(event, "type")  # the app may have events decoded to what it likes
        recovery = self.recovery
        if kind == "message_stop":
            self._stopped = True
        if not self.may_restart:
            if recovery is None:
                return (event,)
            if recovery.is_spliced:
                if kind == "message_start":
                    self._opened()  # the app has content of the message
                self._tell_billed(kind, event)
            made = recovery.events(event)
            if recovery.cut and kind == "message_delta" and not recovery.is_spliced:
                self._tell_billed(kind, event)
            if len(made) == 1 and made[0] is event:
                return made
            return [each if each is event else _typed(stream, each) for each in made]
        if kind in _BEFORE_CONTENT:
            held.append(event)
            return ()
        self.may_restart = False
        self._opened()
        if not held:
            return (event,) if recovery is None else recovery.events(event)
        ready, held[:] = [*held, event], []
        if recovery is not None:
            for each in ready:
                recovery.events(each)
        return ready

    def _tell_billed(self, kind: object, event: Any) -> None:
        """Tell the probe what is billed in an event that does not reach it as it is."""
        driven = self._session.driven
        if kind == "message_start" and driven is not None:
            driven.billed(field_of(event, "message"), whole=True)
        elif kind == "message_delta" and driven is not None:
            driven.billed(field_of(event, "usage"), whole=False)

    def _opened(self) -> None:
        """The first content of the response has come."""
        if self._patience is not None:
            self._patience.content()
        self._session.plan.stream_opened()

    def _failure(self, error: Exception | None) -> Exception | None:
        """Why the stream failed; None where it has ended as it should."""
        patience = self._patience
        if patience is not None and patience.expired is not None and not self._stopped:
            return StreamTimeoutError(patience.expired)
        if error is not None or self._stopped or not self.is_chat:
            return error
        return StreamTruncatedError()

    def _ends(self, failure: Exception, held: Iterable[Any]) -> bool:
        """Whether the stream ends with what came of it. Else another attempt may follow; the plan is told of both.

        Args:
            failure: Why it failed.
            held: The events that the app has not got, whose tokens are billed all the same.

        Raises:
            Exception: The failure, where neither is so.
        """
        session, recovery = self._session, self.recovery
        for event in held:
            self._tell_billed(field_of(event, "type"), event)
        error_type = error_type_of(failure, streaming=True)
        follows: Literal["resume", "end", "raise"] = "resume"
        if not self.may_restart:
            follows = "raise" if recovery is None else recovery.after(error_type)
        if follows == "raise":
            self._keep_partial(failure)
            self.ended(error_type)
            raise failure
        resumes = follows == "resume"
        body = recovery.next_body() if recovery is not None and resumes and not self.may_restart else None
        session.stream_failed(failure, body)
        timed_out = isinstance(failure, StreamTimeoutError)
        session.plan.stream_ended(error_type, policy_timeout=timed_out, resumable=resumes)
        if not resumes:
            session.ends_truncated()
        return not resumes

    def _goes_on(self) -> bool:
        """Whether the rest of an answer that `max_tokens` has cut is asked for. The plan is told that it came."""
        recovery, session = self.recovery, self._session
        body = recovery.next_body() if recovery is not None and recovery.cut else None
        if body is None:
            return False
        session.plan.stream_ended(None)
        session.next_round(body)
        self._stopped = False
        return True

    def _keep_partial(self, failure: BaseException) -> None:
        partial = self._partial()
        if partial is not None:
            try:
                failure.claudescope_partial = partial  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
            except Exception:  # noqa: BLE001 - an exception of another library may refuse it
                internal_errors.record("resilience")

    def _partial(self) -> Any:
        message = None if self.recovery is None else self.recovery.answer.message()
        return None if message is None else anthropic.types.Message.construct(**message)

    def _gave_up(self, error: BaseException) -> None:
        if isinstance(error, Exception):
            self._keep_partial(error)
        self._over = True
        self.may_restart = False
        self._session.over()
        if self._observer is not None:
            self._observer.release()

    def _ending(self, stream: Any) -> Iterator[Any]:
        """The events that end a partial answer."""
        self._over = True
        recovery = self.recovery
        events = () if recovery is None else recovery.closing_events()
        for event in events:
            if event["type"] == "message_stop" and recovery is not None:
                recovery.mark_truncated()
            yield _typed(stream, event)
        if self._observer is not None:
            self._observer.finish()
        self._session.over()

    def _restarted(self, stream: Any, result: Any, failure: Exception | None) -> Any:
        """Go on with another response. Returns the SDK's stream of it, which has not been read."""
        session, recovery = self._session, self.recovery
        response = getattr(result, "response", None) or getattr(result, "http_response", result)
        unwatch_body(stream.response)
        if self._observer is not None:
            self._observer.drop()
        self._observe(response)
        fresh = result
        if not is_stream(result):
            fresh = type(stream)(cast_to=stream._cast_to, response=response, client=session.client)  # noqa: SLF001
        for visible in (stream, self._stream()):
            if visible is not None:
                visible.response = response
        spliced = False
        if recovery is not None and not self.may_restart:
            error_type = "" if failure is None else error_type_of(failure, streaming=True)
            self.may_restart = recovery.resumed(error_type, self._partial())
            spliced = not self.may_restart
        if session.driven is not None:
            session.driven.resumed_with(response, spliced=spliced)
        return fresh

    def events(self, stream: Any, original: Callable[[Any], Generator[Any, None, None]]) -> Generator[Any, None, None]:
        """The events of a sync stream, over all responses.

        Args:
            stream: The SDK's stream.
            original: The SDK's `__stream__`.
        """
        self.parsing = True
        held: list[Any] = []
        events = original(stream)
        try:
            while True:
                error: Exception | None = None
                try:
                    while True:
                        self.inside = True
                        event = next(events) if self._patience is None else self._patience.next(events)
                        ready = self._take(event, held, stream)
                        if ready:
                            self.inside = False
                            yield from ready
                except StopIteration:
                    pass
                except Exception as raised:  # noqa: BLE001 - it is raised again, unless another attempt follows
                    error = raised
                failure = self._failure(error)
                if failure is None and not self._goes_on():
                    self.inside = False
                    yield from held
                    self.ended(None)
                    return
                self.inside = True
                events.close()
                if failure is not None and self._ends(failure, held):
                    self.inside = False
                    yield from self._ending(stream)
                    return
                try:
                    result = self._restart(self._session)
                except BaseException as raised:
                    self._gave_up(raised)
                    raise
                held = []
                events = original(self._restarted(stream, result, failure))
        except GeneratorExit:
            self.dropped()
            raise
        except BaseException as raised:
            if not isinstance(raised, Exception):
                self.closed()
            raise
        finally:
            self.inside = False

    async def async_events(  # noqa: PLR0912 - as above
        self, stream: Any, original: Callable[[Any], AsyncGenerator[Any, None]]
    ) -> AsyncIterator[Any]:
        """The events of an async stream, over all responses. See `events`."""
        self.parsing = True
        held: list[Any] = []
        events = original(stream)
        try:
            while True:
                error: Exception | None = None
                try:
                    while True:
                        self.inside = True
                        patience = self._patience
                        event = await (events.__anext__() if patience is None else patience.anext(events))
                        ready = self._take(event, held, stream)
                        if ready:
                            self.inside = False
                            for each in ready:
                                yield each
                except StopAsyncIteration:
                    pass
                except Exception as raised:  # noqa: BLE001 - it is raised again, unless another attempt follows
                    error = raised
                failure = self._failure(error)
                if failure is None and not self._goes_on():
                    self.inside = False
                    for before in held:
                        yield before
                    self.ended(None)
                    return
                self.inside = True
                await events.aclose()
                if failure is not None and self._ends(failure, held):
                    self.inside = False
                    for each in self._ending(stream):
                        yield each
                    return
                try:
                    result = await self._restart(self._session)
                except BaseException as raised:
                    self._gave_up(raised)
                    raise
                held = []
                events = original(self._restarted(stream, result, failure))
        except GeneratorExit:
            self.dropped()
            # The finaliser closes only this generator: close the SDK's too, so that it frees its connection.
            await events.aclose()
            raise
        except BaseException as raised:
            if not isinstance(raised, Exception):
                self.closed()
            raise
        finally:
            self.inside = False


def _typed(stream: Any, event: dict[str, Any]) -> Any:
    """A decoded event as the stream yields it."""
    return stream._client._process_response_data(  # noqa: SLF001 - the SDK's own way
        data=event,
        cast_to=stream._cast_to,  # noqa: SLF001
        response=stream.response,
    )
