"""What people are told while they wait: from retries, queues, hops and streams, in tasks and threads."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import threading
from collections.abc import AsyncIterator, Callable, Generator
from pathlib import Path
from typing import Any

import pytest
import trio
from rich.console import Console

import claudescope
from claudescope._internal.call_events import Degraded, Queued, Rerouted, Retrying, Sending, Writing
from claudescope.web import State, degraded_message, progress, progress_events, progress_events_sync
from claudescope.web.follow.tracker import MOST_KEPT, Tracker
from claudescope.web.follow.words import WAITING
from claudescope.web.messages import LANGUAGES
from tests.scripted import REQUEST, Answer, ScriptedAPI, error, events, http, message, stream

_SOON: dict[str, Any] = {"retry_after_ms": "1"}
_BUSY = error(529, "overloaded_error", **_SOON)
_FAST = "error_types: {overloaded_error: {base: 1ms, retries: 2}, stream_interrupted_error: {base: 1ms}}\n"

Protect = Callable[[str], None]


@pytest.fixture(autouse=True)
def _instrumented() -> Generator[None]:
    claudescope.instrument()
    yield
    claudescope.uninstrument()


@pytest.fixture
def protect(tmp_path: Path) -> Generator[Protect]:
    """Set a policy by the text of its file."""

    def set_policy(text: str) -> None:
        path = tmp_path / "policy.yaml"
        path.write_text("version: 1\n" + text)
        claudescope.protect(path)

    yield set_policy
    claudescope.unprotect()


def _names(states: list[State]) -> list[str]:
    return [state.name for state in states]


def _followed(answers: tuple[Answer, ...], way: str, **options: Any) -> tuple[list[State], Any]:
    """Follow a call to its end, on asyncio, on trio or in a thread."""
    script = ScriptedAPI(*answers)
    if way == "thread":
        client = script.client(max_retries=2)
        followed = progress(lambda: client.messages.create(**REQUEST), every=100, **options)
        return list(followed), followed

    async def follow() -> tuple[list[State], Any]:
        client = script.async_client(max_retries=2)
        followed = progress(client.messages.create(**REQUEST), every=100, **options)
        return [state async for state in followed], followed

    return asyncio.run(follow()) if way == "asyncio" else trio.run(follow)


_WAYS = pytest.mark.parametrize("way", ["asyncio", "trio", "thread"])


@_WAYS
def test_retries_of_the_sdk(way: str) -> None:
    """Without a policy, the SDK's own retry is told with its wait and number, before it sleeps."""
    states, followed = _followed((_BUSY, message()), way)
    assert _names(states) == ["waiting", "retrying", "waiting", "done"]
    retry = states[1]
    assert (retry.attempt, retry.attempts, retry.error_type) == (2, 3, "overloaded_error")
    assert retry.wait is not None
    assert retry.wait <= 0.001
    assert retry.message == (
        "The assistant is very busy right now. Trying again in a few seconds. This will be attempt 2 of at most 3."
    )
    assert followed.result().content[0].text == "Good day"


@_WAYS
def test_a_call_that_fails(way: str) -> None:
    """The last state has the message for people; `result` raises what the call raised."""
    states, followed = _followed((error(400, "invalid_request_error", "secret"),), way, locale="de")
    assert states[-1].name == "failed"
    assert states[-1].message == claudescope.user_message("invalid_request_error", locale="de")
    assert "secret" not in json.dumps([state.body() for state in states])
    with pytest.raises(Exception, match="secret"):
        followed.result()


@_WAYS
def test_under_a_policy(protect: Protect, way: str) -> None:
    """The policy's waits, hops and other answers are told too."""
    protect(
        _FAST.replace("retries: 2", "retries: 1") + "defaults: {models: [claude-opus-5-5, claude-haiku-4-5-20251001]}\n"
    )
    states, _ = _followed((_BUSY, _BUSY, message(model="claude-haiku-4-5-20251001")), way)
    assert _names(states) == ["waiting", "retrying", "waiting", "rerouted", "waiting", "done"]
    assert states[1].attempts == 4
    assert states[3].model == "claude-haiku-4-5-20251001"
    assert states[3].message == WAITING["en"].other_model
    assert states[-1].degraded_by == "model"
    assert states[-1].message == degraded_message("model")
    assert "claude" not in json.dumps([state.body() for state in states])


def test_the_policy_alone(protect: Protect) -> None:
    """A policy tells without `instrument()` too."""
    claudescope.uninstrument()
    protect(_FAST)
    states, _ = _followed((_BUSY, message()), "asyncio")
    assert _names(states) == ["waiting", "retrying", "waiting", "done"]


def test_nothing_is_on() -> None:
    """Without either, a call is still followed: its begin and its end."""
    claudescope.uninstrument()
    states, _ = _followed((_BUSY, message()), "asyncio")
    assert _names(states) == ["waiting", "done"]


@pytest.mark.parametrize("policy", [False, True])
def test_a_stream(protect: Protect, *, policy: bool) -> None:
    """The first piece of a stream is told, with the tokens so far; a broken one is told as what it is."""
    if policy:
        protect(_FAST)
    script = ScriptedAPI(stream(), stream(events("Good", " day")[:4], breaks=http.ReadError("gone")))

    async def read() -> str:
        async with script.async_client(max_retries=0).messages.stream(**REQUEST) as answer:
            return str(await answer.get_final_text())

    async def follow() -> list[list[State]]:
        whole = [state async for state in progress(read, every=100)]
        return [whole, [state async for state in progress(read, every=100)]]

    whole, broken = asyncio.run(follow())
    assert _names(whole) == ["waiting", "working", "done"]
    assert (whole[1].tokens, whole[2].tokens) == (1, 20)
    assert whole[1].message == WAITING["en"].writing
    assert _names(broken) == ["waiting", "working", "failed"]
    assert broken[-1].error_type == "stream_interrupted_error"


def test_a_queue(protect: Protect) -> None:
    """A call that waits for a place is told its place, and goes on when it is its turn."""
    protect("defaults: {concurrency: {max: 1, queue_timeout: 60s}}\n")
    held, entered = threading.Event(), threading.Event()

    def first(_: Any) -> None:
        entered.set()
        assert held.wait(60)

    script = ScriptedAPI(message(), message())
    slow = script.client()
    original = slow._client._transport.handle_request  # what the script serves

    def handle(request: Any) -> Any:
        if not entered.is_set():
            first(request)
        return original(request)

    slow._client._transport.handle_request = handle
    thread = threading.Thread(target=lambda: slow.messages.create(**REQUEST))
    thread.start()
    assert entered.wait(60)
    states: list[State] = []
    for state in progress(lambda: slow.messages.create(**REQUEST), every=100):
        states.append(state)
        if state.name == "queued":
            held.set()
    thread.join()
    assert _names(states) == ["waiting", "queued", "waiting", "done"]
    assert states[1].place == 1
    assert states[1].message == "Many requests are waiting. Yours is in the queue. It is number 1."


class _Forever:
    """A call that never ends by itself."""

    def __init__(self) -> None:
        self.cancelled = False

    async def run(self) -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return "never"


def test_cancel() -> None:
    """`cancel` cancels the call and ends the loop; there is no result."""

    async def follow() -> None:
        call = _Forever()
        followed = progress(call.run, every=100)
        states: list[State] = []
        async for state in followed:
            states.append(state)
            await asyncio.sleep(0)
            followed.cancel()
        assert _names(states) == ["waiting", "cancelled"]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert call.cancelled
        with pytest.raises(claudescope.BadInputError, match="was cancelled"):
            followed.result()

    asyncio.run(follow())


@pytest.mark.parametrize("leaves", ["block", "task"])
def test_leaving_cancels(leaves: str) -> None:
    """Leaving the `async with` block cancels the call, and so does cancelling the task that waits for it."""

    async def follow() -> None:
        call = _Forever()
        if leaves == "block":
            async with progress(call.run, every=100) as followed:
                async for _ in followed:
                    await asyncio.sleep(0)
                    break
        else:
            task = asyncio.ensure_future(progress(call.run, every=100).show_async(Console(file=io.StringIO())))
            for _ in range(5):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        for _ in range(3):
            await asyncio.sleep(0)
        assert call.cancelled

    asyncio.run(follow())


def test_leaving_a_loop_does_not_cancel() -> None:
    """After `break` the call goes on, and its result can be waited for."""

    async def follow() -> None:
        script = ScriptedAPI(message())
        followed = progress(lambda: script.async_client().messages.create(**REQUEST), every=100)
        async for _ in followed:
            break
        with pytest.raises(claudescope.BadInputError, match="is not over"):
            followed.result()
        assert (await followed).content[0].text == "Good day"
        assert [state async for state in followed] == []

    asyncio.run(follow())


def test_cancel_before_it_starts() -> None:
    """A call that is cancelled before the loop is never made, and its coroutine is closed."""

    async def follow() -> None:
        call = _Forever()
        followed = progress(call.run(), every=100)
        followed.cancel()
        assert _names([state async for state in followed]) == ["waiting", "cancelled"]

    asyncio.run(follow())


def test_a_slow_reader() -> None:
    """What nobody reads does not grow and does not hold the call up; the end is always there."""
    tracker = Tracker(None, None)
    for number in range(1000):
        tracker.take(Retrying(1.0, number, None, "api_error"))
    tracker.done()
    tracker.take(Sending(7))
    kept = list(iter(tracker.next, None))
    assert len(kept) == MOST_KEPT
    assert kept[-1].name == "done"


def test_nothing_happens_for_a_while() -> None:
    """Then the call still works, or what is left of its wait is told."""
    now = 0.0
    tracker = Tracker(None, None, clock=lambda: now)
    now = 5.0
    assert (tracker.still().name, tracker.still().message) == ("working", "Still working on it.")
    tracker.take(Retrying(100.0, 2, 3, "rate_limit_error"))
    now = 65.0
    still = tracker.still()
    assert (still.name, still.wait) == ("retrying", 40.0)
    assert "in about 40 seconds" in still.message
    place = iter([3, 3, 2, 1])
    tracker.take(Queued("concurrency", lambda: next(place), lambda: 130.0))
    assert tracker.still().message.endswith("It is number 3. It should be its turn in about 3 minutes.")
    tracker.take(Writing(lambda: 12))
    assert (tracker.still().message, tracker.still().tokens) == ("The answer is being written.", 12)


def test_working_comes_again() -> None:
    """A loop hears from a call that tells nothing."""

    async def follow() -> None:
        call = _Forever()
        followed = progress(call.run, every="1ms")
        states: list[State] = []
        async for state in followed:
            states.append(state)
            if len(states) == 3:
                followed.cancel()
        assert _names(states) == ["waiting", "working", "working", "cancelled"]

    asyncio.run(follow())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language(language: str) -> None:
    """Each state has a text in each language, whole and with its times."""
    assert list(WAITING) == list(LANGUAGES)
    tracker = Tracker(language, None)
    tracker.take(Sending(1))
    for event in (
        Retrying(90.0, 2, 3, "rate_limit_error"),
        Queued("throttle", None, lambda: 20.0),
        Queued("concurrency", lambda: 4, lambda: None),
        Rerouted("circuit_open", "aws", None),
        Rerouted("circuit_open", "aws", "claude-haiku-4-5"),
        Writing(lambda: 1),
        Degraded("cache"),
    ):
        tracker.take(event)
    tracker.done()
    texts = [state.message for state in iter(tracker.next, None)]
    assert len(set(texts)) == 8
    assert not [text for text in texts if "{" in text or "  " in text or not text]
    if language != "en":
        words, english = WAITING[language], WAITING["en"]
        assert not [name for name in words.__slots__ if getattr(words, name) == getattr(english, name)]


def test_hooks(caplog: pytest.LogCaptureFixture) -> None:
    """`notify` calls its hook once while the call runs, sync or async; hooks that raise do no harm."""
    told: list[str] = []

    async def follow() -> None:
        go, notified = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        async def call() -> str:
            await go.wait()
            return "Good day"

        async def later(followed: Any) -> None:
            told.append(followed.state.name)
            notified.set()

        def broken(_: Any) -> None:
            loop.call_soon_threadsafe(go.set)
            raise ValueError("mine")

        followed = progress(call, every=100, on_state=lambda state: told.append(state.name))
        followed.notify(later, after=0.001)
        followed.notify(lambda _: told.append("never"), after="20min")
        task = asyncio.ensure_future(followed.show_async(Console(file=io.StringIO())))
        await notified.wait()
        followed.notify(broken, after="1ms")
        assert await task == "Good day"

    with caplog.at_level(logging.ERROR, "claudescope.web"):
        asyncio.run(follow())
    assert sorted(told) == ["done", "waiting", "waiting"]
    assert [record.message for record in caplog.records] == ["a hook of progress() failed"]


def test_run_and_show() -> None:
    """`run` calls back; `show` writes a line per state where there is no terminal, and a status line on one."""
    seen: list[str] = []
    assert progress(lambda: 42, on_state=lambda state: seen.append(state.name)).run() == 42
    assert seen == ["waiting", "done"]
    plain = Console(file=io.StringIO())
    progress(lambda: 42).show(plain)
    assert plain.file.getvalue() == "Waiting for the assistant. 0:00\nThe answer is ready. 0:00\n"  # type: ignore[attr-defined]
    terminal = Console(file=io.StringIO(), force_terminal=True, width=200)
    with pytest.raises(ValueError, match="mine"):
        progress(_raise).show(terminal)
    assert "Something went wrong." in terminal.file.getvalue()  # type: ignore[attr-defined]


def _raise() -> None:
    raise ValueError("mine")


def test_events_for_a_page() -> None:
    """A page gets `progress` events and then `answer`, or `error` with a problem document."""

    async def read(answer: Answer) -> list[tuple[str, dict[str, Any]]]:
        client = ScriptedAPI(answer).async_client(max_retries=0)
        followed = progress(client.messages.create(**REQUEST), every=100)
        made = progress_events(followed, lambda found: {"text": found.content[0].text}, instance="/ask", locale="de")
        return [_event(text) async for text in made]

    assert [name for name, _ in asyncio.run(read(message()))] == ["progress", "progress", "answer"]
    assert asyncio.run(read(message()))[-1] == ("answer", {"text": "Good day"})
    name, problem = asyncio.run(read(_BUSY))[-1]
    assert name == "error"
    assert (problem["error_code"], problem["instance"]) == ("overloaded_error", "/ask")


def test_events_for_a_page_in_threads() -> None:
    """The same for frameworks without an event loop."""
    client = ScriptedAPI(message(), _BUSY).client(max_retries=0)
    for expected in ("answer", "error"):
        followed = progress(lambda: client.messages.create(**REQUEST), every=100)
        made = progress_events_sync(followed, lambda found: found.content[0].text)
        assert [_event(text)[0] for text in made] == ["progress", "progress", expected]


def test_a_page_that_closes_cancels() -> None:
    """Closing the events cancels the call, and sends no last event."""

    async def read() -> None:
        call = _Forever()
        made = progress_events(progress(call.run, every=100), str)
        await made.__anext__()
        await asyncio.sleep(0)
        await made.aclose()
        for _ in range(3):
            await asyncio.sleep(0)
        assert call.cancelled

    asyncio.run(read())


def _event(text: str) -> tuple[str, dict[str, Any]]:
    name, data = text.strip().split("\n")
    return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


async def _generator() -> AsyncIterator[int]:
    yield 1


def test_wrong_use() -> None:
    """Each mistake is told with what to do."""
    for wrong in (5, _generator()):
        with pytest.raises(claudescope.BadInputError, match="expected a function without arguments"):
            progress(wrong)  # type: ignore[call-overload]
    for every in (0, -1, "soon", float("nan"), float("inf"), "5"):
        with pytest.raises(claudescope.BadInputError, match="every="):
            progress(lambda: 1, every=every)
    with pytest.raises(claudescope.BadInputError, match="use `async for`"):
        progress(_Forever().run).run()
    with pytest.raises(claudescope.BadInputError, match="use `async for`"):
        progress(lambda: _Forever().run()).run()

    async def hook(_: Any) -> None: ...

    with pytest.raises(claudescope.BadInputError, match="needs an event loop"):
        progress(lambda: 1).notify(hook, after=1)


def test_a_thread_in_a_loop() -> None:
    """A sync client does not block the event loop of whoever follows it."""

    async def follow() -> str:
        client = ScriptedAPI(message()).client()
        made = await progress(lambda: client.messages.create(**REQUEST), every=100)
        return str(made.content[0].text)

    assert asyncio.run(follow()) == "Good day"
