"""Fixtures that every test may use, the order of tests, and the rules for skipped tests."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Generator
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, settings
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from claudescope.lifecycle import active_probe, uninstrument
from tests.components import MissingComponentError

# A busy machine is no failure: nothing here is judged by the clock.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

# A shell starts what it runs in the background with Ctrl-C ignored: what a test interrupts would not notice.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the longest tests first, so that no worker still runs one when the others have finished."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish() -> None:
    """Take what is imported by now out of garbage collection: it stays, and each collection would walk it again."""
    gc.collect()
    gc.freeze()


@contextmanager
def _skipped_without_components() -> Generator[None]:
    try:
        yield
    except MissingComponentError as missing:
        pytest.skip(str(missing))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None]:
    """Skip a test whose fixtures need a program that was not fetched."""
    with _skipped_without_components():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    """Skip a test that needs a program that was not fetched."""
    with _skipped_without_components():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail skipped tests under CI, where every component must be there."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped under CI=true: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def _switched_off() -> Generator[None, None, None]:
    """Switch claudescope off after each test."""
    assert active_probe() is None
    yield
    uninstrument()


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio; those about trio say so."""
    return "asyncio"


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """Where the spans of `tracer_provider` end up."""
    return InMemorySpanExporter()


@pytest.fixture
def tracer_provider(spans: InMemorySpanExporter) -> Generator[TracerProvider, None, None]:
    """A tracer provider of the test's own; the global one is never set."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    yield provider
    provider.shutdown()


@pytest.fixture
def metric_reader() -> InMemoryMetricReader:
    """Reads the metrics of `meter_provider`."""
    return InMemoryMetricReader()


@pytest.fixture
def meter_provider(metric_reader: InMemoryMetricReader) -> Generator[MeterProvider, None, None]:
    """A meter provider of the test's own; the global one is never set."""
    provider = MeterProvider(metric_readers=[metric_reader])
    yield provider
    provider.shutdown()
