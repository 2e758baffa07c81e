"""What has to happen when the process forks.

A thread that holds a lock at the moment of a fork does not exist in the child. Nobody would ever release the lock
there, and the child's first call would wait forever. So every lock of claudescope is replaced in a forked child, before
anything else of claudescope runs there.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import Any, Final, TypeVar

__all__ = ["renew_in_child", "run_in_child"]

_Owner = TypeVar("_Owner")

_locks: Final[weakref.WeakKeyDictionary[object, str]] = weakref.WeakKeyDictionary()
_in_child: Final[weakref.WeakKeyDictionary[object, Callable[[Any], None]]] = weakref.WeakKeyDictionary()


def renew_in_child(owner: object, attribute: str) -> None:
    """Give `owner` a new lock in every forked child.

    Args:
        owner: What has the lock: an object, a class or a module. It is not kept alive.
        attribute: Name of its attribute that holds a `threading.Lock` or `threading.RLock`.
    """
    _locks[owner] = attribute


def run_in_child(owner: _Owner, method: Callable[[_Owner], None]) -> None:
    """Call a method of `owner` in every forked child, after all locks have been replaced.

    Args:
        owner: The object. It is not kept alive.
        method: A function of its class, not a bound method, which would keep it alive. It must not raise.
    """
    _in_child[owner] = method


def _renew() -> None:
    for owner, attribute in list(_locks.items()):
        is_reentrant = isinstance(getattr(owner, attribute), type(threading.RLock()))
        setattr(owner, attribute, threading.RLock() if is_reentrant else threading.Lock())
    for owner, method in list(_in_child.items()):
        method(owner)


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_renew)
