"""Writes a day of a fleet to the remote-write receiver of Prometheus.

Text for `promtool` would repeat the labels of a series for every sample: hundreds of gigabytes for 1,000 instances.
A remote write names a series once for all samples of an hour. Messages are assembled from parts that are encoded
once: protocol buffers are lengths and bytes, and Snappy allows uncompressed bytes
(https://prometheus.io/docs/specs/prw/remote_write_spec/, https://github.com/google/snappy/blob/main/format_description.txt).
"""

from __future__ import annotations

import http.client
import math
import struct
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from typing import Final
from urllib.parse import urlsplit

from benchmarks.fleet.app import DAY, Series

__all__ = ["HISTORIES", "STEP", "Growth", "blocks_of", "framed", "send"]

STEP: Final = 60
"""Seconds between two scrapes, the default of Prometheus."""

HISTORIES: Final = 64
"""Number of different growths of the series of a model. Each instance uses one for each of its models."""

JOB: Final = "assistant"
_INSTANCE: Final = "instance-0000"
_SENDERS: Final = 3


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def _field(number: int, content: bytes) -> bytes:
    """Encode a field of bytes: a string or a message."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


@dataclass(frozen=True, slots=True)
class Growth:
    """How the series of a model of an instance grow over the day.

    Attributes:
        times: Factor of their increase.
        phase: Shift of the busy hours, as a fraction of a day.
        late: Seconds after the full minute at which they are scraped.
    """

    times: float
    phase: float
    late: float

    @classmethod
    def numbered(cls, number: int) -> Growth:
        """Return a growth that depends on the number only."""
        random = Random(number)  # noqa: S311 # no secret
        return cls(math.exp(random.uniform(-1.2, 1.2)), random.random(), number * STEP / HISTORIES)

    def value(self, series: Series, at: float, start: float) -> float:
        """Return the value at the time of a scrape."""
        day = (at - start) / DAY
        wave = math.sin((at / DAY + self.phase) * 2 * math.pi)
        if series.gauge:
            value = series.total * (0.6 + 0.4 * wave) if series.total else 3 + 3 * wave
            return math.floor(value) if series.whole else value
        grown = series.total * self.times * (0.3 + day + 0.1 * wave)
        return math.floor(grown) if series.whole else grown


def _named(series: Series) -> bytes:
    labels = [("__name__", series.name), *series.labels, ("instance", _INSTANCE), ("job", JOB)]
    return b"".join(_field(1, _field(1, name.encode()) + _field(2, value.encode())) for name, value in sorted(labels))


def blocks_of(series: Sequence[Series], growth: Growth, start: float, at: int, end: int) -> bytes:
    """Encode samples of series from `at` to `end` as fields of a `WriteRequest`, with a placeholder for the instance.

    Args:
        series: Series of one model.
        growth: Growth of the series.
        start: Start of the day in Unix seconds.
        at: First full minute in Unix seconds.
        end: End in Unix seconds, exclusive.
    """
    moments = [moment + growth.late for moment in range(at, end, STEP)]
    stamped = [(moment, b"\x10" + _varint(round(moment * 1000))) for moment in moments]
    # A sample is a double and a time. Its length is the same for all times of this century.
    length = len(stamped[0][1])
    head = b"\x12" + _varint(9 + length) + b"\x09"
    written: list[bytes] = []
    for one in series:
        values: list[bytes | float] = []
        for moment, stamp in stamped[:: one.every]:
            values += (head, growth.value(one, moment, start), stamp)
        samples = struct.pack("<" + f"{len(head)}sd{length}s" * (len(values) // 3), *values)
        written.append(_field(1, _named(one) + samples))
    return b"".join(written)


def framed(message: bytes) -> bytes:
    """Encode a message in Snappy's block format without compression."""
    size = len(message)
    return _varint(size) + (b"\xfc" + struct.pack("<I", size - 1) + message if size else b"")


def _requests(series: Sequence[Series], instances: int, start: float, at: int, end: int) -> Iterator[bytes]:
    """Make one request for each instance."""
    groups = [[one for one in series if one.group == group] for group in range(max(one.group for one in series) + 1)]
    needed = min(HISTORIES, instances)
    blocks = [
        [blocks_of(group, Growth.numbered(number), start, at, end) for number in range(needed)] for group in groups
    ]
    for instance in range(instances):
        # Consecutive instances share the growth of at most one model.
        taken = [of_group[(instance * (2 * group + 1) + instance // HISTORIES) % needed]
                 for group, of_group in enumerate(blocks)]  # fmt: skip
        yield framed(b"".join(taken).replace(_INSTANCE.encode(), f"instance-{instance:04d}".encode()))


def send(url: str, series: Sequence[Series], instances: int, start: float, at: int, end: int) -> int:
    """Write the samples of all instances from `at` to `end`, and return their number.

    Raises:
        RuntimeError: Prometheus rejected samples.
    """
    host = urlsplit(url).netloc
    headers = {
        "Content-Type": "application/x-protobuf",
        "Content-Encoding": "snappy",
        "X-Prometheus-Remote-Write-Version": "0.1.0",
    }
    requests = _requests(series, instances, start, at, end)

    def post(body: bytes) -> None:
        connection = http.client.HTTPConnection(host, timeout=300)
        try:
            connection.request("POST", "/api/v1/write", body, headers)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
            if answer.status >= 300:
                raise RuntimeError(f"Prometheus rejected samples: {answer.status} {text}")
        finally:
            connection.close()

    with ThreadPoolExecutor(_SENDERS) as pool:
        # Limits the requests in memory to a few for each sender.
        while batch := [body for body, _ in zip(requests, range(4 * _SENDERS), strict=False)]:
            list(pool.map(post, batch))
    return sum(len(range(at, end, STEP * one.every)) for one in series) * instances
