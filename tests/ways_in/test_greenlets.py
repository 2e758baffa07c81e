"""Apps that gevent patches, also after claudescope was imported and has seen calls."""

from __future__ import annotations

import re
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.request import urlopen

import pytest

from tests.otlp_sink import OtlpSink
from tests.ways_in.conftest import PATIENCE, Commands

pytestmark = pytest.mark.timeout(300)

_PATCH = {
    "gevent": (
        "from gevent import monkey; monkey.patch_all(); import gevent;spawn, wait = gevent.spawn, gevent.joinall"
    ),
}

_APP = """
import faulthandler, sys, warnings
faulthandler.dump_traceback_later(100, exit=True)
warnings.simplefilter("ignore")
import anthropic, claudescope
anthropic.Anthropic()
def ask(number=0):
    stream = anthropic.Anthropic(max_retries=0).messages.create(
        model="claude-haiku-5-5", max_tokens=20, messages=[{"role": "user", "content": "Hello"}], stream=True
    )
    for read, _ in enumerate(stream):
        if number == 1 and read == 2:
            break
"""


_USED = "handle = claudescope.configure(prometheus_port=0); ask(); handle.flush()"


@pytest.mark.parametrize(
    ("library", "before"),
    [
        ("gevent", "claudescope.instrument()"),
        ("gevent", "claudescope.configure(prometheus_port=0)"),
        ("gevent", _USED),
    ],
)
def test_patched_after_the_import(library: str, before: str, commands: Commands, sink: OtlpSink) -> None:
    """Streams that are read and dropped by greenlets at once all end, are counted, exported, and the process ends."""
    code = f"""{_APP}
{before}
{_PATCH[library]}
earlier = claudescope.report().calls
wait([spawn(ask, number) for number in range(3)])
print(claudescope.report().calls - earlier)
claudescope.uninstrument()
"""
    exporting = commands.with_variables(OTEL_EXPORTER_OTLP_ENDPOINT=sink.http_url)
    assert exporting.run(sys.executable, "-c", code).stdout == "3\n"
    if "configure" in before:
        assert sink.total("gen_ai.client.operation.duration") == 3 + before.count("ask()")


def test_metrics_are_served_after_the_patch(commands: Commands) -> None:
    """An endpoint that was started before the patch answers afterwards, to greenlets and to others."""
    code = f"""{_APP}
handle = claudescope.configure(prometheus_port=0)
{_PATCH["gevent"]}
wait([spawn(ask, number) for number in range(3)])
from urllib.request import urlopen
print(urlopen(handle.metrics_url).read().decode().count("gen_ai_client_operation_duration_seconds_count"))
"""
    assert int(commands.run(sys.executable, "-c", code).stdout) >= 1


def test_no_greenlet_switches_under_a_plain_lock(commands: Commands, sink: OtlpSink) -> None:
    """While one of our plain locks is held no other greenlet runs, as its wait for the lock would stop the process."""
    code = f"""{_APP}
from claudescope._internal import fork, waiting
import greenlet, threading
held = set()
def check(event, args):
    for owner, attribute in list(fork._locks.items()):
        if not isinstance(owner, waiting.PatchableLock) and attribute != "_making":
            lock = getattr(owner, attribute)
            if getattr(lock, "locked", lambda: False)():
                held.add(f"{{type(owner).__name__}}.{{attribute}}")
handle = claudescope.configure()
{_PATCH["gevent"]}
greenlet.settrace(check)
wait([spawn(ask, number) for number in range(3)])
claudescope.report()
handle.flush()
claudescope.uninstrument()
handle.shutdown()
handle = claudescope.configure()
wait([spawn(ask, number) for number in range(3)])
handle.shutdown()
greenlet.settrace(None)
print(sorted(held))
"""
    exporting = commands.with_variables(OTEL_EXPORTER_OTLP_ENDPOINT=sink.http_url)
    assert exporting.run(sys.executable, "-c", code).stdout == "[]\n"


_SERVER = ("gunicorn", "-c", "gunicorn_conf.py", "-w", "2", "--threads", "1", "streams:app")


@pytest.mark.release
@pytest.mark.parametrize(
    ("command", "variables"),
    [
        ((*_SERVER, "-k", "gevent", "--preload"), {"INSTRUMENT": "1"}),
        (("opentelemetry-instrument", *_SERVER, "-k", "gevent"), {}),
        ((sys.executable, "-m", "claudescope", "run", "--no-report", "--", *_SERVER, "-k", "gevent", "--preload"), {}),
    ],
    ids=["preload", "opentelemetry-instrument", "run"],
)
def test_gunicorn(command: tuple[str, ...], variables: dict[str, str], commands: Commands, sink: OtlpSink) -> None:
    """Every request of a greenlet server is answered, every call is exported, and SIGTERM ends it."""
    exporting = commands.with_variables(
        OTEL_EXPORTER_OTLP_ENDPOINT=sink.http_url,
        OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf",
        OTEL_METRIC_EXPORT_INTERVAL="500",
        **variables,
    )
    with exporting.started(*command) as process:
        assert process.stdout is not None
        listening = re.fullmatch(r"port (\d+)\n", process.stdout.readline())
        assert listening is not None
        url = f"http://127.0.0.1:{listening.group(1)}/"

        def ask(_: int) -> int:
            with urlopen(url, timeout=PATIENCE) as response:
                return int(response.status)

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(ask, range(12))) == [200] * 12
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, log
    assert sink.total("gen_ai.client.operation.duration") == 24, log
