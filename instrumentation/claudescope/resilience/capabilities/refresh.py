"""Asks the models endpoint what models can do: in the background, seldom, and without delaying a call."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any, Final, cast

from claudescope._internal import internal_errors
from claudescope._internal.fork import renew_in_child, run_in_child
from claudescope._internal.json_values import is_array, is_object
from claudescope.probe.sdk import library_of_class
from claudescope.resilience.capabilities.models import Book

__all__ = ["Fetch", "Refresher", "fetch_with"]

_FRESH: Final = 24 * 3600.0
_AGAIN: Final = 3600.0
_TIMEOUT: Final = 5.0
_PAGES: Final = 5
_LARGEST: Final = 5 * 1024 * 1024

Fetch = Callable[[str], bytes]
"""Gets a path and query of the API. It may raise anything."""


class Refresher:
    """Keeps a book of capabilities fresh: asks once a day, or after an hour where the endpoint failed.

    Args:
        book: Where the answer goes.
        clock: Seconds, monotonic.
    """

    def __init__(self, book: Book, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._book = book
        self._clock = clock
        self._lock = threading.Lock()
        self._next: float | None = None
        renew_in_child(self, "_lock")
        run_in_child(self, Refresher._forget)

    def _forget(self) -> None:
        self._next = None  # the thread that was asking is not in the child

    def offer(self, make_fetch: Callable[[], Fetch]) -> None:
        """Use a client for a refresh if one is due. Never raises, and never waits for the endpoint.

        Args:
            make_fetch: Makes the function that asks, such as `partial(fetch_with, client)`. Called only if one is due.
        """
        try:
            now = self._clock()
            with self._lock:
                if self._next is not None and now < self._next:
                    return
                self._next = now + _AGAIN
            threading.Thread(target=self._run, args=(make_fetch(),), name="claudescope-models", daemon=True).start()
        except Exception:  # noqa: BLE001 - a call must not fail because of its refresh
            internal_errors.record("resilience")

    def _run(self, fetch: Fetch) -> None:
        try:
            if self._book.learn(_listed(fetch)):
                self._next = self._clock() + _FRESH
        except Exception:  # noqa: BLE001 - the endpoint may be missing, down or a gateway's: the table holds
            internal_errors.record("models_endpoint")


def _listed(fetch: Fetch) -> list[Any]:
    found: list[Any] = []
    after = ""
    for _ in range(_PAGES):
        raw = fetch(f"/v1/models?limit=100{after}")
        page = json.loads(raw[:_LARGEST])
        data = page.get("data") if is_object(page) else None
        if not is_array(data):
            raise ValueError("not a list of models")
        found += data
        last = page.get("last_id")
        if page.get("has_more") is not True or not isinstance(last, str):
            break
        after = f"&after_id={last}"
    return found


def fetch_with(client: Any) -> Fetch:
    """A function that asks with the address and the credentials of a client of the SDK, but not through it.

    A request through the client would be a call of the app in every metric.

    Args:
        client: A sync or async client of the SDK for Anthropic's own API or a gateway. It is not kept.
    """
    its_client: object = client._client  # noqa: SLF001 - the SDK shows its HTTP client nowhere else
    http = library_of_class(cast("Any", type(its_client)))
    base = str(client.base_url).rstrip("/")
    headers = {name: value for name, value in dict(client.default_headers).items() if isinstance(value, str)}

    def fetch(path: str) -> bytes:
        response = http.get(base + path, headers=headers, timeout=_TIMEOUT)
        response.raise_for_status()
        content: bytes = response.content
        return content

    return fetch
