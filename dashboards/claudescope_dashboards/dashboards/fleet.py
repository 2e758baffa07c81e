"""Instances: calls, errors, latency and cost of each, and the health of the telemetry."""

from __future__ import annotations

from typing import Any

from claudescope.schema.catalogue import (
    ACTIVE_CALLS,
    BATCH_OUTCOME,
    BATCH_RESULTS,
    COMPONENT,
    COST,
    DURATION,
    ERROR_TYPE,
    EVENTS_DROPPED,
    INTERNAL_ERRORS,
    OPERATION,
    PROVIDER,
    SERVER_ADDRESS,
)
from claudescope_dashboards.dashboards import colour_steps
from claudescope_dashboards.grafana.layout import Row, dashboard, uid
from claudescope_dashboards.grafana.palette import BAD, ERROR_TYPE_COLOURS, GOOD
from claudescope_dashboards.grafana.panels import Query, Step, below, drill_down, stat, time_series
from claudescope_dashboards.grafana.tables import Column, table
from claudescope_dashboards.queries import CHAT, INSTANCE, RANGE, Queries

__all__ = ["fleet"]

_FRESH = below(60, "< 1 min")
"""A sample may be as old as the interval between two scrapes, so its age in seconds says nothing."""


def fleet(queries: Queries) -> dict[str, Any]:
    """Build the dashboard."""
    return dashboard(
        "fleet",
        queries,
        [
            Row(4, _numbers(queries), widths=(5, 5, 4, 5, 5)),
            Row(9, _instances(queries), widths=(14, 10), title="Instances"),
            Row(8, _by_instance(queries), title="By instance"),
            Row(8, _telemetry(queries), widths=(5, 5, 4, 5, 5), title="Destinations, batches and telemetry health"),
        ],
        description="Calls, errors, latency and cost of each instance, and the health of the telemetry.",
    )


def _age(queries: Queries, by: str = "") -> str:
    """Seconds since the last sample of an instance, including instances that disappeared within the last day."""
    return f"time() - max{by} ({queries.last_seen('1d')})"


def _or_zero(queries: Queries, expr: str) -> str:
    """An expression that is 0 while there are calls and it has no value itself."""
    calls = queries.calls(window=RANGE, function="increase")
    return f"{expr} or 0 * {calls}"


def _numbers(queries: Queries) -> list[Any]:
    internal_errors = queries.total(INTERNAL_ERRORS, window=RANGE, function="increase")
    dropped = queries.total(EVENTS_DROPPED, window=RANGE, function="increase")
    return [
        stat(
            "Instances now",
            Query(f"count({queries.last_seen()})"),
            description="Number of processes with telemetry. Red: there is none; check that the app runs, calls "
            "instrument() and is scraped. Check the same if the number is lower than the number of processes.",
            unit="none",
            steps=(Step(BAD), Step(GOOD, 1)),
        ),
        stat(
            "Age of newest sample",
            Query(_age(queries), instant=True),
            description="Age of the newest sample of all instances. Red: the telemetry has stopped and no alert can "
            "fire; check that the app runs, calls instrument() and is scraped.",
            unit="s",
            steps=colour_steps.rising(120, queries.spec.thresholds.absent_after),
            mappings=[_FRESH],
        ),
        stat(
            "Calls in flight now",
            Query(f"sum({queries.gauge(ACTIVE_CALLS)})"),
            description="Calls that are waiting for a response. This number has no threshold. If it never falls, "
            "streams are not closed; see the instances below.",
            unit="short",
            steps=(Step("blue"),),
        ),
        stat(
            "Internal errors in range",
            Query(_or_zero(queries, internal_errors), instant=True),
            description="Errors inside claudescope in the time range. They do not affect the app, but some calls may "
            "be missing from the metrics. Red: report a bug with the component from the panel below.",
            unit="short",
            steps=colour_steps.rising(1, 10),
            decimals=0,
        ),
        stat(
            "Dropped events in range",
            Query(_or_zero(queries, dropped), instant=True),
            description="Sentry events that the rate limit of claudescope dropped in the time range. Red: a burst of "
            "errors; open Errors & retries.",
            unit="short",
            steps=colour_steps.rising(1, 1000),
            decimals=0,
            links=[drill_down("Errors & retries", uid("errors", queries))],
        ),
    ]


def _instances(queries: Queries) -> list[Any]:
    by = INSTANCE
    ratio = queries.ratio(queries.failed(by=by, window=RANGE), queries.calls(by=by, window=RANGE))
    return [
        table(
            "Instances",
            Column(queries.calls(by=by, window=RANGE, function="increase"), "Calls", "locale", decimals=0),
            Column(ratio, "Error rate", "percentunit", colour_steps.error_rate(queries.spec)),
            Column(queries.quantile(0.95, DURATION, CHAT, by=by, window=RANGE), "Duration p95", "s"),
            Column(queries.total(COST, by=by, window=RANGE, function="increase"), "Cost", "currencyUSD"),
            Column(
                _age(queries, f" by {queries.by(*by)}"),
                "Last seen",
                "s",
                colour_steps.rising(120, 600),
                mappings=(_FRESH,),
            ),
            labels={"job": "Job", "instance": "Instance"},
            description="Calls, error rate, duration and cost of each process in the time range. If one process fails "
            "more than the others, check its key, network and version. Red 'Last seen': it has stopped or is not "
            "scraped.",
            sort="Calls",
            links={
                "Instance": [drill_down("Errors of this instance", uid("errors", queries), instance="instance")],
            },
        ),
        time_series(
            "Calls per minute by instance",
            Query(f"60 * {queries.calls(by=by)}", "{{instance}}"),
            description="Calls per minute by instance. If an instance ends, it has stopped. If one has far more calls "
            "than the others, check the load balancer.",
            unit="cpm",
            stacked=True,
        ),
    ]


def _by_instance(queries: Queries) -> list[Any]:
    by = INSTANCE
    return [
        time_series(
            "Error rate by instance",
            Query(queries.failed_ratio(), "{{instance}}"),
            description="Ratio of failed calls by instance. If only one instance is above the threshold, restart it "
            "and compare its key, network and version. If all are, look for the cause in Errors & retries.",
            unit="percentunit",
            steps=colour_steps.error_rate(queries.spec),
        ),
        time_series(
            "Duration p95 by instance",
            Query(queries.p95(), "{{instance}}"),
            description="95th percentile of the duration of calls by instance. If only one instance is slow, check its "
            "network, its CPU and its connection pool.",
            unit="s",
        ),
        time_series(
            "Calls in flight by instance",
            Query(f"sum by {queries.by(*by)} ({queries.select(ACTIVE_CALLS)})", "{{instance}}"),
            description="Calls that are waiting for a response, by instance. If a line only rises, streams are not "
            "closed.",
            unit="short",
        ),
        time_series(
            "Cost per hour by instance",
            Query(f"3600 * {queries.total(COST, by=by)}", "{{instance}}"),
            description="US dollars per hour by instance. If one instance costs far more than the others, look for a "
            "loop or for a job that only it runs.",
            unit="currencyUSD",
            stacked=True,
        ),
    ]


def _telemetry(queries: Queries) -> list[Any]:
    return [
        time_series(
            "Calls by provider and host",
            Query(f"60 * {queries.calls(by=(PROVIDER, SERVER_ADDRESS))}", queries.legend(PROVIDER, SERVER_ADDRESS)),
            description="Calls per minute by provider and host. If there is an unexpected host, check base_url and "
            "proxies.",
            unit="cpm",
            stacked=True,
        ),
        time_series(
            "Calls by operation",
            Query(f"60 * {queries.calls(by=(OPERATION,))}", queries.legend(OPERATION)),
            description="Calls per minute by operation. If batches.retrieve is frequent, poll batches less often.",
            unit="cpm",
            stacked=True,
        ),
        time_series(
            "Batch results",
            Query(f"60 * {queries.total(BATCH_RESULTS, by=(BATCH_OUTCOME,))}", queries.legend(BATCH_OUTCOME)),
            description="Results of message batches that the app read, per minute. If results are errored, open Errors "
            "& retries. If they expired, make the batches smaller.",
            unit="cpm",
            stacked=True,
            colours={"succeeded": GOOD, "errored": BAD, "canceled": "blue", "expired": "orange"},
            empty="No batches",
        ),
        time_series(
            "Internal errors by component",
            Query(f"60 * {queries.total(INTERNAL_ERRORS, by=(COMPONENT,))}", queries.legend(COMPONENT)),
            description="Errors inside claudescope per minute. Report a bug with the component; the logger "
            "'claudescope' has the traceback at level DEBUG.",
            unit="cpm",
            stacked=True,
            empty="No internal errors",
        ),
        time_series(
            "Dropped Sentry events",
            Query(f"60 * {queries.total(EVENTS_DROPPED, by=(ERROR_TYPE,))}", queries.legend(ERROR_TYPE)),
            description="Sentry events per minute that the rate limit of claudescope dropped, by error type. The type "
            "with the most events is the cause of the burst.",
            unit="cpm",
            stacked=True,
            colours=ERROR_TYPE_COLOURS,
            empty="No dropped events",
        ),
    ]
