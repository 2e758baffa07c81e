"""The text of a scrape, as prometheus-client writes it.

prometheus-client makes the text of each label of each sample in every scrape, which takes most of its time. Here it
does so once for each combination of labels, and once for the heading of each metric; what is kept is what it wrote.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import Any, Final
from urllib.parse import parse_qs

import prometheus_client
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import InfoMetricFamily
from prometheus_client.metrics_core import Metric as MetricFamily
from prometheus_client.samples import Sample

from claudescope.export.scraped import Family, Labels, ScrapedMeterProvider
from claudescope.schema.catalogue import METRICS, Metric
from claudescope.schema.instruments import Label

__all__ = ["ScrapeCollector", "make_app"]

_App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
_Encoder = Callable[[Any], bytes]

_client: Any = prometheus_client  # parts of it are not typed
_go_number: Final[Callable[[float], str]] = _client.utils.floatToGoString

_TYPES: Final = {"updowncounter": "gauge"}
_FORMATS: Final = 4
"""Forms of the text that are kept. A server asks for one."""


class ScrapeCollector:
    """A collector of prometheus-client's registry, which reads the meters of an endpoint."""

    def __init__(self) -> None:
        self.provider: ScrapedMeterProvider | None = None

    def collect(self) -> Iterator[MetricFamily]:
        """Every metric with its samples. prometheus-client calls this."""
        yield from self.target_info()
        for scope, family in self.families():
            yield _family_of(family, scope)

    def describe(self) -> list[MetricFamily]:
        """Every metric without samples. prometheus-client calls this to know which ones a server may choose."""
        return [_empty_family(metric) for metric in METRICS]

    def families(self) -> Iterator[tuple[Labels, Family]]:
        """Every metric with its values, and the labels of its scope."""
        for meter in self.provider.meters if self.provider else ():
            scope = (("otel_scope_name", meter.name), ("otel_scope_version", meter.version or ""))
            for family in meter.families():
                yield scope, family

    def target_info(self) -> Iterator[MetricFamily]:
        """The attributes of the resource."""
        if self.provider is not None:
            info = InfoMetricFamily("target", "Target metadata")
            info.add_metric([], _sanitised(self.provider.resource.items()))
            yield info


def make_app(collector: ScrapeCollector) -> _App:
    """Make a WSGI app that serves what a collector reads.

    Args:
        collector: The collector.
    """
    registry = _client.CollectorRegistry()
    registry.register(collector)
    theirs: _App = _client.make_wsgi_app(registry)
    texts: dict[str, _Text] = {}

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        asked_for = parse_qs(environ.get("QUERY_STRING", ""))
        if environ["REQUEST_METHOD"] != "GET" or environ["PATH_INFO"] == "/favicon.ico" or "name[]" in asked_for:
            return theirs(environ, start_response)
        encoder, content_type = choose_encoder(environ.get("HTTP_ACCEPT", ""))
        if content_type not in texts:
            if len(texts) >= _FORMATS:
                texts.clear()
            texts[content_type] = _Text(encoder)
        body = texts[content_type].of(collector)
        headers = [("Content-Type", content_type)]
        if "gzip" in environ.get("HTTP_ACCEPT_ENCODING", ""):
            # The level that is four times as fast, for a tenth more bytes.
            body = gzip.compress(body, compresslevel=1)
            headers.append(("Content-Encoding", "gzip"))
        start_response("200 OK", headers)
        return [body]

    return app


class _Text:
    """Writes scrapes in one form, and keeps the text of labels.

    Args:
        encoder: Writes that form: a function of prometheus-client.
    """

    def __init__(self, encoder: _Encoder) -> None:
        self._encoder = encoder
        self._end = encoder(_Registry([])).decode()
        self._headings: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._pairs: dict[tuple[str, Any], tuple[str, str]] = {}
        self._labels: dict[Labels, tuple[str, str]] = {}

    def of(self, collector: ScrapeCollector) -> bytes:
        """The text of all metrics."""
        parts = [self._written(collector.target_info())]
        for scope, family in collector.families():
            parts.append(self._heading(family.metric))
            self._learn(family, scope)
            parts += (self._buckets if family.metric.instrument == "histogram" else self._values)(family)
        return "".join([*parts, self._end]).encode()

    def _written(self, families: Iterable[MetricFamily]) -> str:
        return self._encoder(_Registry(families)).decode().removesuffix(self._end)

    def _heading(self, metric: Metric) -> str:
        found = self._headings.get(metric.name)
        if found is None:
            family = _empty_family(metric)
            found = self._headings[metric.name] = self._written([family])
            for name in metric.series:
                family.samples = [Sample(name, {}, 0.0)]
                # Some forms escape names.
                self._names[name] = self._written([family]).removeprefix(found).removesuffix(" 0.0\n")
        return found

    def _learn(self, family: Family, scope: Labels) -> None:
        """Keep the text of labels that are new: what precedes and what follows the bound of a bucket."""
        new = [labels for labels, _ in family.points if labels not in self._labels]
        if not new:
            return
        pairs = self._pairs
        if unknown := {pair for labels in (scope, *new) for pair in labels if pair[1] != "" and pair not in pairs}:
            asked = MetricFamily("x", "", "gauge")
            asked.samples = [Sample("x", _sanitised([pair]), 0.0) for pair in unknown]
            written = [line for line in self._written([asked]).split("\n") if line and line[0] != "#"]
            for pair, line in zip(unknown, written, strict=True):
                pairs[pair] = _name(pair[0]), line[line.index("{") + 1 : line.rindex("}")]
        for labels in new:
            texts = sorted(pairs[pair] for pair in (*scope, *labels) if pair in pairs)
            before = "".join(f"{text}," for name, text in texts if name < "le")
            after = "".join(f",{text}" for name, text in texts if name > "le")
            self._labels[labels] = before, after

    def _values(self, family: Family) -> list[str]:
        name, known = self._names[family.metric.prometheus], self._labels
        lines: list[str] = []
        for labels, (value,) in family.points:
            before, after = known[labels]
            lines.append(f"{name}{{{_joined(before, after)}}} {_number(value)}\n")
        return lines

    def _buckets(self, family: Family) -> list[str]:
        bucket, count, total = (self._names[name] for name in family.metric.series)
        bounds = [f'le="{bound}"' for bound in _bounds(family.metric)]
        lines: list[str] = []
        for labels, values in family.points:
            before, after = self._labels[labels]
            start, end = f"{bucket}{{{before}", f"{after}}} "
            counts = [_number(value) for value in accumulate(values[:-1])]
            lines += [f"{start}{bound}{end}{value}\n" for bound, value in zip(bounds, counts, strict=True)]
            both = _joined(before, after)
            lines.append(f"{count}{{{both}}} {counts[-1]}\n{total}{{{both}}} {_number(values[-1])}\n")
        return lines


class _Registry:
    """Gives families to an encoder."""

    def __init__(self, families: Iterable[MetricFamily]) -> None:
        self._families = families

    def collect(self) -> Iterable[MetricFamily]:
        return self._families


def _joined(before: str, after: str) -> str:
    """Labels without the bound of a bucket between them."""
    return f"{before}{after[1:]}" if after else before[:-1]


def _number(value: float) -> str:
    # Most numbers are small counts, for which this is what prometheus-client writes.
    if type(value) is int and -1 < value < 1_000_000:
        return f"{value}.0"
    return _go_number(value)


def _sanitised(labels: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """Labels as Prometheus has them. One without a value is none."""
    return {
        _name(name): value if isinstance(value, str) else str(value).lower() for name, value in labels if value != ""
    }


def _name(label: str) -> str:
    return Label(label, "").prometheus


def _bounds(metric: Metric) -> list[str]:
    return [*map(str, metric.buckets), "+Inf"]


def _empty_family(metric: Metric) -> MetricFamily:
    kind = _TYPES.get(metric.instrument, metric.instrument)
    name = metric.prometheus.removesuffix("_total") if kind == "counter" else metric.prometheus
    return MetricFamily(name, metric.description, kind, metric.prometheus_unit)


def _family_of(family: Family, scope: Labels) -> MetricFamily:
    """A metric with its samples, as prometheus-client knows them."""
    metric, made = family.metric, _empty_family(family.metric)
    for labels, values in family.points:
        names = _sanitised((*scope, *labels))
        if metric.instrument != "histogram":
            made.add_sample(metric.prometheus, names, values[0])
            continue
        counts = list(accumulate(values[:-1]))
        for bound, count in zip(_bounds(metric), counts, strict=True):
            made.add_sample(f"{metric.prometheus}_bucket", {**names, "le": bound}, count)
        made.add_sample(f"{metric.prometheus}_count", names, counts[-1])
        made.add_sample(f"{metric.prometheus}_sum", names, values[-1])
    return made
