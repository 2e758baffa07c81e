"""Drives a protected call in a task, on asyncio and trio: carries out what its plan says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio

from claudescope.resilience.drivers.session import AGAIN, CURRENT_SESSION
from claudescope.resilience.engine.actions import Answer, Exchange, Send, Wait
from claudescope.resilience.steps import Refused

if TYPE_CHECKING:
    from claudescope.resilience.drivers.session import Session
    from claudescope.resilience.steps import Content

__all__ = ["drive", "restart"]


async def drive(session: Session) -> Any:
    """Carry out a call until it has a result: what the SDK returns for its last attempt, or the plan's answer.

    Raises:
        Exception: The last real error, or one of `claudescope.resilience.errors` where nothing was sent.
    """
    try:
        answer = await _prepared(session)
        if answer is not None:
            return await _answer(session, answer)
        return await _until_result(session)
    except Exception:
        session.over()
        raise
    except BaseException:
        session.cancelled()
        raise


async def _prepared(session: Session) -> Content | None:
    """Take the steps before the first attempt. Returns an answer that makes one needless."""
    if session.steps is None or session.is_prepared:
        return None
    try:
        prepared = await session.steps.prepare_async()
    except Refused as refusal:
        raise session.refused(refusal) from None
    session.prepared(prepared)
    return prepared.answer


async def _answer(session: Session, content: Content) -> Any:
    with session.delivering():
        result = await session.deliver(content)
    session.delivered()
    return result


async def restart(session: Session) -> Any:
    """Carry out what follows a stream that failed before its first content."""
    if session.driven is None:
        return await drive(session)
    with session.driven.resumed():
        return await drive(session)


async def _until_result(session: Session) -> Any:
    while True:
        action = session.next()
        if isinstance(action, Send):
            try:
                if session.steps is not None:
                    session.took_place(await session.steps.acquire_async(action.target, action.timeouts.whole))
                result = await _send(session, action)
            except Refused as refusal:
                session.not_sent(refusal)
            except Exception as error:  # noqa: BLE001 - the plan says whether it is raised
                session.failed(error)
            else:
                result = session.returned(result)
                if result is not AGAIN:
                    return result
        elif isinstance(action, Wait):
            session.sleeping(action)
            await anyio.sleep(action.seconds)
            session.slept(action)
        elif isinstance(action, Exchange):
            session.plan.exchanged(await action.run_async())
        elif isinstance(action, Answer):
            content = None if session.steps is None else await session.steps.answer_async(action)
            if content is not None:
                session.answered()
                return await _answer(session, content)
            session.plan.declined()
        else:
            raise session.error(action)  # as it is: `from` would take its cause away


async def _send(session: Session, action: Send) -> Any:
    prepared = session.prepare(action)
    token = CURRENT_SESSION.set(session)
    try:
        return await session.original(prepared.client, session.cast_to, prepared.options, **session.arguments)
    finally:
        CURRENT_SESSION.reset(token)
