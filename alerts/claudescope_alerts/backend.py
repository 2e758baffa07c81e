"""Asks a running Prometheus whether the rules and dashboards of a spec will find their series there.

Works with whatever has Prometheus' HTTP API: VictoriaMetrics, Mimir and Thanos have it too.
"""

from __future__ import annotations

import json
import re
import time
import urllib.parse
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, cast, get_args

import promql_parser

from claudescope._internal.exceptions import BadInputError
from claudescope.schema.catalogue import CALLS, METRICS, Metric
from claudescope_alerts.build import groups_of
from claudescope_alerts.deploy import auth_headers, request
from claudescope_alerts.promql.naming import metric_name
from claudescope_alerts.promql.selectors import SelectorBuilder
from claudescope_alerts.spec.model import Naming, Spec

__all__ = ["BackendFinding", "check_backend"]

Level = Literal["ok", "warning", "error"]
_Names = tuple[Naming, str]
"""A naming and a namespace."""

_HOUR: Final = 3600
_SKEW: Final = 60
"""Seconds that the server's clock may be ahead. A sample of this very second would be left out without it."""
_OURS: Final = r"([a-zA-Z0-9_:]+_)?(gen_ai|claude|claudescope)[._].+"
_BASELINE_DAYS: Final = 7
"""The oldest samples that the baseline of a quantity reads."""

_NAMINGS: Final[tuple[Naming, ...]] = get_args(Naming)
_UNIT_DAYS: Final = {"y": 365.0, "M": 31.0, "w": 7.0, "d": 1.0, "h": 1 / 24, "m": 1 / 1440, "s": 1 / 86400, "": 31.0}
"""Days in each unit of Prometheus, and of VictoriaMetrics, where a number without a unit is one of months."""


@dataclass(frozen=True, slots=True)
class BackendFinding:
    """The result of one check.

    Attributes:
        check: What was checked: `series`, `naming`, `histograms` or `retention`.
        level: `ok`, `warning` (some of it may be wrong) or `error` (rules or dashboards are wrong or empty).
        message: What was found.
        fix: What to change; empty where there is nothing to do.
    """

    check: str
    level: Level
    message: str
    fix: str = ""


def check_backend(
    url: str, spec: Spec, tenant: str | None = None, token_file: Path | None = None
) -> list[BackendFinding]:
    """Check that the series of a spec are in a server, in its naming and form, and are kept for long enough.

    Args:
        url: Base URL of Prometheus' HTTP API, such as `http://prometheus:9090`.
        spec: The spec of the rules and dashboards.
        tenant: Value of `X-Scope-OrgID`; None sends none.
        token_file: A file with a bearer token; None sends none.

    Raises:
        BadInputError: The server can't be reached, or does not answer as Prometheus does.
    """
    api = _Api(url, auth_headers(tenant, token_file))
    found = api.names(spec.service.labels)
    if not found:
        return [_no_series(api, spec), *_retention(api, spec)]
    naming = _naming(spec, found)
    return [
        naming,
        *([] if naming.level == "error" else [_series(spec, found), _histograms(api, spec, found)]),
        *_retention(api, spec),
    ]


class _Api:
    """The HTTP API of a server."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        self._url = url.rstrip("/")
        self._headers = headers

    def names(self, labels: Mapping[str, str]) -> frozenset[str]:
        """Names of claudescope's series, without those that rules record."""
        pairs = [f'__name__=~"{_OURS}"', *(f"{name}={json.dumps(value)}" for name, value in labels.items())]
        return frozenset(name for name in self.values("__name__", "{" + ", ".join(pairs) + "}") if ":" not in name)

    def values(self, label: str, selector: str) -> list[str]:
        """Values of a label of the series that had samples within the last hour."""
        path, now = f"/api/v1/label/{label}/values", int(time.time())
        answer = self._get(path, {"match[]": selector, "start": now - _HOUR, "end": now + _SKEW})
        if not isinstance(answer, list):
            raise self._unexpected(path)
        return [str(value) for value in cast("list[object]", answer)]

    def retention(self) -> str:
        """For how long the server keeps samples, as it writes that; empty if it does not say."""
        try:
            answer: Any = self._get("/api/v1/status/runtimeinfo", {})
            return str(answer["storageRetention"])
        except (BadInputError, KeyError, TypeError):
            pass
        try:
            text = request("GET", f"{self._url}/metrics", self._headers)
        except BadInputError:
            return ""
        # Only VictoriaMetrics serves its flags as metrics.
        flag = re.search(r'^flag\{name="retentionPeriod", value="([^"]+)"', text, re.MULTILINE)
        return flag[1] if flag else ""

    def _get(self, path: str, values: Mapping[str, str | int]) -> object:
        query = f"?{urllib.parse.urlencode(values)}" if values else ""
        text = request("GET", f"{self._url}{path}{query}", self._headers)
        try:
            document: Any = json.loads(text)
            return document["data"]
        except (ValueError, KeyError, TypeError):
            raise self._unexpected(path) from None

    def _unexpected(self, path: str) -> BadInputError:
        return BadInputError(
            f"{self._url}{path}: the response is not Prometheus'. Expected the base URL of Prometheus' HTTP API, such "
            "as http://prometheus:9090, or http://mimir:8080/prometheus"
        )


def _no_series(api: _Api, spec: Spec) -> BackendFinding:
    if spec.service.labels and api.names({}):
        labels = ", ".join(f"{name}: {value}" for name, value in spec.service.labels.items())
        return BackendFinding(
            "series",
            "error",
            f"claudescope's series are there, but none has the labels of the spec ({labels})",
            "Set service.labels in the spec to labels that the series have",
        )
    return BackendFinding(
        "series",
        "error",
        "no series of claudescope had a sample within the last hour",
        "Run `claudescope doctor` where the app runs, and check that its metrics go to this server",
    )


def _series_names(metric: Metric, names: _Names) -> Iterator[str]:
    """Every name that a series of the metric may have."""
    name = metric_name(metric, *names)
    yield name
    if metric.instrument == "histogram":
        yield from (f"{name}_{part}" for part in ("bucket", "count", "sum"))


def _present(found: Set[str], names: _Names) -> list[Metric]:
    return [metric for metric in METRICS if any(name in found for name in _series_names(metric, names))]


def _namespaces(found: Set[str], naming: Naming) -> set[str]:
    """The prefixes before the names of the metric that every app has."""
    name = metric_name(CALLS, naming)
    return {found_name[: -len(name) - 1] for found_name in found if found_name.endswith(f"_{name}")} | {""}


def _naming(spec: Spec, found: Set[str]) -> BackendFinding:
    fits: dict[_Names, list[Metric]] = {
        (naming, namespace): metrics
        for naming in _NAMINGS
        for namespace in sorted(_namespaces(found, naming))
        if CALLS in (metrics := _present(found, (naming, namespace)))
    }
    mine = (spec.naming, spec.namespace)
    others = sorted((names for names in fits if names != mine), key=lambda names: -len(fits[names]))
    written = _written(mine)
    if mine in fits:
        if not others:
            return BackendFinding("naming", "ok", f"metrics are named as the spec says: {written}")
        return BackendFinding(
            "naming",
            "warning",
            f"metrics are named as the spec says ({written}), and also with {_written(others[0])}: rules and "
            "dashboards leave these out",
            "Let all apps send metrics in the same way",
        )
    if not others:
        return BackendFinding(
            "naming",
            "error",
            f"no series of {CALLS.name} in any known naming, only {', '.join(sorted(found)[:3])}: these come from "
            "another instrumentation, or the server gives metrics other names",
            "Run `claudescope doctor` where the app runs; in the server, let no relabelling rename metrics",
        )
    return BackendFinding(
        "naming",
        "error",
        f"the spec has {written}, but the server has {metric_name(CALLS, *others[0])}: rules and dashboards find no "
        "series",
        f"Set {_written(others[0])} in the spec, then build and deploy rules and dashboards again",
    )


def _written(names: _Names) -> str:
    naming, namespace = names
    return f"naming: {naming}" + (f" and namespace: {namespace}" if namespace else "")


def _read_by_rules(spec: Spec) -> list[Metric]:
    """The metrics that rules read."""
    selectors = SelectorBuilder(spec)
    by_name = {name: metric for metric in METRICS for name in _series_names(metric, (spec.naming, spec.namespace))}
    read: set[str] = set()

    def visit(node: promql_parser.Expr) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            matchers = {matcher.name: matcher.value for matcher in node.matchers.matchers}
            read.add(node.name or matchers.get("__name__", ""))
        return True

    for group in groups_of(spec, selectors):
        for rule in group.rules:
            promql_parser.walk(promql_parser.parse(rule.expr), visit)
    wanted = {by_name[name].name for name in read if name in by_name}
    return [metric for metric in METRICS if metric.name in wanted]


def _series(spec: Spec, found: Set[str]) -> BackendFinding:
    read = _read_by_rules(spec)
    there = _present(found, (spec.naming, spec.namespace))
    missing = [metric.name for metric in read if metric not in there]
    if not missing:
        return BackendFinding("series", "ok", f"all {len(read)} metrics that the rules read are there")
    return BackendFinding(
        "series",
        "ok",
        f"{len(read) - len(missing)} of {len(read)} metrics that the rules read are there. The others start when they "
        f"first happen: {', '.join(missing)}",
    )


def _histograms(api: _Api, spec: Spec, found: Set[str]) -> BackendFinding:
    """Say in which form histograms are, and whether that is the one that the rules read."""
    names = [metric_name(metric, spec.naming, spec.namespace) for metric in METRICS if metric.instrument == "histogram"]
    classic, native = [name for name in names if f"{name}_bucket" in found], [name for name in names if name in found]
    if classic and api.values("vmrange", f'{{__name__=~"({"|".join(classic)})_bucket"}}'):
        return BackendFinding(
            "histograms",
            "error",
            "exponential histograms are stored in VictoriaMetrics' own buckets, which have the label vmrange and no "
            "le: percentiles and objectives on latency find none",
            "Set OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION=explicit_bucket_histogram where the app runs",
        )
    form = "native" if native and not classic else "classic" if classic and not native else ""
    if form:
        if spec.histograms in {"auto", form}:
            return BackendFinding("histograms", "ok", f"histograms are {form}, and histograms: {spec.histograms} fits")
        return BackendFinding(
            "histograms",
            "error",
            f"histograms are {form}, but the spec has histograms: {spec.histograms}: percentiles and objectives on "
            "latency find none",
            f"Set histograms: {form} or histograms: auto in the spec, then build and deploy rules and dashboards again",
        )
    if not classic:
        return BackendFinding("histograms", "warning", "no histogram is there: percentiles are empty", _NO_HISTOGRAMS)
    return BackendFinding(
        "histograms",
        "warning",
        "histograms are there in both forms. If these are of different apps, percentiles read the classic ones and "
        "leave out the native ones",
        "Let all apps send histograms in the same form",
    )


_NO_HISTOGRAMS: Final = "Check that nothing between the app and the server drops histograms"


def _days(text: str) -> float | None:
    """The days of a retention such as `15d`, `1y2w` or `15d or 10GiB`; None for one by size alone."""
    for part in text.split(" or "):
        amounts = re.findall(r"(\d+(?:\.\d+)?)(ms|[yMwdhms]?)", part)
        if amounts and "".join(number + unit for number, unit in amounts) == part:
            return sum(float(number) * _UNIT_DAYS.get(unit, 0.0) for number, unit in amounts)
    return None


def _retention(api: _Api, spec: Spec) -> Iterator[BackendFinding]:
    longest = max(objective.period_days for objective in spec.objectives)
    needed = max(longest, _BASELINE_DAYS)
    text = api.retention()
    days = _days(text)
    if days is None:
        yield BackendFinding(
            "retention",
            "warning",
            f"the server does not say for how many days it keeps samples{f' (only {text})' if text else ''}; error "
            f"budgets need {longest}",
            f"Check that it keeps samples for {needed} days or longer",
        )
        return
    if days >= needed:
        yield BackendFinding("retention", "ok", f"samples are kept for {text}, and the longest period is {longest}d")
    else:
        short = [objective.name for objective in spec.objectives if objective.period_days > days]
        budgets = f"the error budgets of {', '.join(short)} count {text} of {longest}d" if short else ""
        baseline = "baselines lack the same hour of earlier days" if days < _BASELINE_DAYS else ""
        yield BackendFinding(
            "retention",
            "error",
            f"samples are kept for {text}: {' and '.join(part for part in (budgets, baseline) if part)}",
            f"Keep samples for {needed} days or longer (Prometheus: --storage.tsdb.retention.time={needed}d; "
            f"VictoriaMetrics: -retentionPeriod={needed}d)",
        )
    if " or " in text:
        yield BackendFinding(
            "retention",
            "warning",
            f"the server also drops the oldest samples above a size ({text}), which may be earlier",
            "Check that the size is enough for the days",
        )
