"""Drives a protected call on this thread: carries out what its plan says."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from claudescope.resilience.drivers.session import AGAIN, CURRENT_SESSION
from claudescope.resilience.engine.actions import Answer, Exchange, Send, Wait
from claudescope.resilience.steps import Refused

if TYPE_CHECKING:
    from claudescope.resilience.drivers.session import Session
    from claudescope.resilience.steps import Content

__all__ = ["drive", "restart"]


def drive(session: Session) -> Any:
    """Carry out a call until it has a result: what the SDK returns for its last attempt, or the plan's answer.

    Raises:
        Exception: The last real error, or one of `claudescope.resilience.errors` where nothing was sent.
    """
    try:
        answer = _prepared(session)
        if answer is not None:
            return _answer(session, answer)
        return _until_result(session)
    except Exception:
        session.over()
        raise
    except BaseException:
        session.cancelled()
        raise


def _prepared(session: Session) -> Content | None:
    """Take the steps before the first attempt. Returns an answer that makes one needless."""
    if session.steps is None or session.is_prepared:
        return None
    try:
        prepared = session.steps.prepare()
    except Refused as refusal:
        raise session.refused(refusal) from None
    session.prepared(prepared)
    return prepared.answer


def _answer(session: Session, content: Content) -> Any:
    with session.delivering():
        result = session.deliver(content)
    session.delivered()
    return result


def restart(session: Session) -> Any:
    """Carry out what follows a stream that failed before its first content."""
    if session.driven is None:
        return drive(session)
    with session.driven.resumed():
        return drive(session)


def _until_result(session: Session) -> Any:
    while True:
        action = session.next()
        if isinstance(action, Send):
            try:
                if session.steps is not None:
                    session.took_place(session.steps.acquire(action.target, action.timeouts.whole))
                result = _send(session, action)
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
            # Looked up when it is used, as gevent may have replaced it.
            time.sleep(action.seconds)
            session.slept(action)
        elif isinstance(action, Exchange):
            session.plan.exchanged(action.run())
        elif isinstance(action, Answer):
            content = None if session.steps is None else session.steps.answer(action)
            if content is not None:
                session.answered()
                return _answer(session, content)
            session.plan.declined()
        else:
            raise session.error(action)  # as it is: `from` would take its cause away


def _send(session: Session, action: Send) -> Any:
    prepared = session.prepare(action)
    token = CURRENT_SESSION.set(session)
    try:
        return session.original(prepared.client, session.cast_to, prepared.options, **session.arguments)
    finally:
        CURRENT_SESSION.reset(token)
