"""Sentry with its SDK as it is, and the two places that events go to: a recording transport, and a real server."""

from __future__ import annotations

import json
import logging
import os
from collections import Counter
from collections.abc import Callable, Generator
from typing import Any

import pytest
import sentry_sdk
from sentry_sdk.envelope import Envelope
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.transport import Transport

from claudescope._internal import internal_errors
from claudescope.sentry import ClaudeErrorsIntegration, Options
from claudescope.sentry.integration import uninstall
from tests.sentry import OWN_PROCESS, bugsink

__all__ = ["Recorder", "Start", "personal_data"]

# Sentry patches the anthropic SDK, logging and threads of its process for good, which no other test must see. So
# `test_versions` runs these tests in processes of their own, with the versions of Sentry's SDK that matter.
_VERSION = os.environ.get("EXPECTED_SENTRY_SDK")
collect_ignore = [] if _VERSION else list(OWN_PROCESS)
assert _VERSION in {None, sentry_sdk.VERSION}

DSN = "http://public@127.0.0.1:9/1"


def _breadcrumbs_from(level: int) -> dict[str, Any]:
    # Since 3.0 log records also go to Sentry's logs, and `level` means these.
    return {"breadcrumb_level": level} if sentry_sdk.VERSION.startswith("3.") else {"level": level}


def personal_data(allowed: bool) -> dict[str, Any]:
    """The option that lets Sentry send personal data. Since 3.0 it does so by default, under a new name."""
    if sentry_sdk.VERSION.startswith("3."):
        return {} if allowed else {"data_collection": {"user_info": False}}
    return {"send_default_pii": allowed}


class Recorder(Transport):
    """Keeps every envelope as the bytes that would have gone out.

    Attributes:
        sent: The envelopes, serialised.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        """Serialise at once, as a queue would hold what the app goes on to change."""
        self.sent.append(envelope.serialize())

    def items(self, *kinds: str) -> list[dict[str, Any]]:
        """The payloads of the items of some types."""
        found: list[dict[str, Any]] = []
        for raw in self.sent:
            found += [
                json.loads(item.get_bytes())
                for item in Envelope.deserialize(raw).items
                if item.headers["type"] in kinds
            ]
        return found

    @property
    def events(self) -> list[dict[str, Any]]:
        """Every error event, as Sentry would have got it."""
        return self.items("event")

    @property
    def event(self) -> dict[str, Any]:
        """The only error event."""
        (event,) = self.events
        return event


Start = Callable[..., Recorder]


@pytest.fixture
def expected_faults() -> Counter[str]:
    """How many faults of our own, by component, a test provokes: none, unless it says so."""
    return Counter()


@pytest.fixture
def start(expected_faults: Counter[str]) -> Generator[Start, None, None]:
    """Initialises Sentry for the test, with claudescope's integration unless told otherwise."""
    before = Counter(internal_errors.counts())

    def init(
        options: Options | None = None,
        *,
        ours: bool = True,
        also: tuple[Any, ...] = (),
        breadcrumbs_from: int = logging.INFO,
        **others: Any,
    ) -> Recorder:
        recorder = Recorder()
        # Log records of errors are events: by default before 3.0, by choice since.
        logged = LoggingIntegration(event_level=logging.ERROR, **_breadcrumbs_from(breadcrumbs_from))
        integrations = [*([ClaudeErrorsIntegration(options)] if ours else []), logged, *also]
        if "dsn" not in others:
            others |= {"dsn": DSN, "transport": recorder}
        others.setdefault("release", "1")  # else Sentry asks git
        # What Sentry finds installed is not this test's business, but what it always switches on is.
        sentry_sdk.init(integrations=integrations, auto_enabling_integrations=False, **others)
        # Sentry registers an integration's hooks once per process, and the last test took ours out.
        if ours:
            ClaudeErrorsIntegration.setup_once()
        return recorder

    with sentry_sdk.isolation_scope():
        yield init
        client = sentry_sdk.get_client()
        client.close(timeout=0)
        getattr(getattr(client.transport, "_pool", None), "clear", bool)()  # its connections, before the collector does
        sentry_sdk.get_global_scope().set_client(None)
        sentry_sdk.get_isolation_scope().set_client(None)
        uninstall()
    assert Counter(internal_errors.counts()) - before == expected_faults


@pytest.fixture(scope="session")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Generator[bugsink.Bugsink, None, None]:
    with bugsink.running(tmp_path_factory.mktemp("bugsink")) as server:
        yield server


@pytest.fixture
def project(_server: bugsink.Bugsink, request: pytest.FixtureRequest) -> bugsink.Project:
    """A project of the real server, for this test alone."""
    return _server.project(request.node.name)
