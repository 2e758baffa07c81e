"""Locks that a forked child can take.

A thread that holds a lock at the moment of a fork does not exist in the child: nobody would ever release it there, and
the child's first call would wait for good.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Final

__all__ = ["renew_in_child"]

_owners: Final[weakref.WeakKeyDictionary[object, str]] = weakref.WeakKeyDictionary()


def renew_in_child(owner: object, attribute: str) -> None:
    """Give `owner` a new lock in every forked child.

    Args:
        owner: What has the lock: an object or a module. It is not kept alive.
        attribute: Where it has it.
    """
    _owners[owner] = attribute


def _renew() -> None:
    for owner, attribute in list(_owners.items()):
        setattr(owner, attribute, threading.Lock())


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_renew)
