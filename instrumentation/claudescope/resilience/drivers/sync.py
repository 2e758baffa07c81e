"""Drives a protected call on this thread: carries out what its plan says."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from claudescope.resilience.drivers.session import CURRENT_SESSION
from claudescope.resilience.engine.actions import Answer, Exchange, Send, Wait

if TYPE_CHECKING:
    from claudescope.resilience.drivers.session import Session

__all__ = ["drive", "restart"]


def drive(session: Session) -> Any:
    """Carry out a call until it has a result: what the SDK returns for its last attempt, or the plan's answer.

    Raises:
        Exception: The last real error, or one of `claudescope.resilience.errors` where nothing was sent.
    """
    try:
        return _until_result(session)
    except Exception:
        raise
    except BaseException:
        session.cancelled()
        raise


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
                result = _send(session, action)
            except Exception as error:  # noqa: BLE001 - the plan says whether it is raised
                session.failed(error)
            else:
                return session.returned(result)
        elif isinstance(action, Wait):
            # Looked up when it is used, as gevent may have replaced it.
            time.sleep(action.seconds)
            session.slept(action)
        elif isinstance(action, Exchange):
            session.plan.exchanged(action.run())
        elif isinstance(action, Answer):
            found, value = session.answer(action)
            if found:
                return value
        else:
            raise session.error(action) from None


def _send(session: Session, action: Send) -> Any:
    prepared = session.prepare(action)
    token = CURRENT_SESSION.set(session)
    try:
        return session.original(prepared.client, session.cast_to, prepared.options, **session.arguments)
    finally:
        CURRENT_SESSION.reset(token)
