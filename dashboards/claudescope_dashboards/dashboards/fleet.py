"""Which instances call, how each fares, and whether claudescope itself is well."""

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
from claudescope_dashboards.grafana.panels import Column, Query, Step, drill_down, stat, table, time_series
from claudescope_dashboards.queries import CHAT, INSTANCE, RANGE, Queries

__all__ = ["fleet"]


def fleet(queries: Queries) -> dict[str, Any]:
    """The board."""
    return dashboard(
        "fleet",
        queries,
        [
            Row(4, _numbers(queries), widths=(5, 5, 5, 5, 4)),
            Row(9, _instances(queries), widths=(14, 10), title="Instances"),
            Row(8, _by_instance(queries), title="Each instance"),
            Row(8, _itself(queries), widths=(5, 5, 5, 5, 4), title="Where calls go, and claudescope itself"),
        ],
        description="Which instances call Claude, how does each fare, and is the telemetry itself well?",
    )


def _age(queries: Queries, by: str = "") -> str:
    """Seconds since the last sample of an instance, also of one that has gone within the last day."""
    return f"time() - max{by} ({queries.last_seen('1d')})"


def _or_none(queries: Queries, expr: str) -> str:
    """An expression that is 0 while there are calls and nothing of it."""
    calls = queries.calls(window=RANGE, function="increase")
    return f"{expr} or 0 * {calls}"


def _numbers(queries: Queries) -> list[Any]:
    owners = queries.total(INTERNAL_ERRORS, window=RANGE, function="increase")
    held = queries.total(EVENTS_DROPPED, window=RANGE, function="increase")
    return [
        stat(
            "Instances",
            Query(f"count({queries.last_seen()})"),
            description="Processes whose calls are seen. Red, or fewer than run: one is not instrumented or scraped.",
            unit="none",
            steps=(Step(BAD), Step(GOOD, 1)),
        ),
        stat(
            "Newest sample",
            Query(_age(queries), instant=True),
            description="Age of the newest sample of any instance. Red: telemetry has stopped, and every alert is "
            "blind; check that the app runs and is scraped, and that instrument() was called.",
            unit="s",
            steps=colour_steps.rising(120, queries.spec.thresholds.absent_after),
            graph=False,
        ),
        stat(
            "Calls in flight",
            Query(f"sum({queries.gauge(ACTIVE_CALLS)})"),
            description="Calls that wait for an answer now. It has no threshold: a number that never falls means "
            "streams that are never closed, see the instances below.",
            unit="short",
            steps=(Step("blue"),),
        ),
        stat(
            "Faults of claudescope",
            Query(_or_none(queries, owners), instant=True),
            description="What went wrong inside claudescope in the time range. The app never notices; numbers may "
            "miss calls. Red: report it, with the component from the panel below.",
            unit="short",
            steps=colour_steps.rising(1, 10),
            decimals=0,
            graph=False,
        ),
        stat(
            "Held back from Sentry",
            Query(_or_none(queries, held), instant=True),
            description="Events that flood control kept out of Sentry in the time range; the next event that leaves "
            "says how many. Red: a storm of failures; see Errors & retries.",
            unit="short",
            steps=colour_steps.rising(1, 1000),
            decimals=0,
            graph=False,
            links=[drill_down("Errors & retries", uid("errors", queries))],
        ),
    ]


def _instances(queries: Queries) -> list[Any]:
    by = INSTANCE
    ratio = queries.ratio(queries.failed(by=by, window=RANGE), queries.calls(by=by, window=RANGE))
    return [
        table(
            "Instances",
            Column(queries.calls(by=by, window=RANGE, function="increase"), "Calls", "short"),
            Column(ratio, "Failed", "percentunit", colour_steps.error_rate(queries.spec)),
            Column(queries.quantile(0.95, DURATION, CHAT, by=by, window=RANGE), "p95", "s"),
            Column(queries.total(COST, by=by, window=RANGE, function="increase"), "Cost", "currencyUSD"),
            Column(_age(queries, f" by {queries.by(*by)}"), "Last seen", "s", colour_steps.rising(120, 600)),
            labels={"job": "Job", "instance": "Instance"},
            description="Each process over the time range. One that fails more than its siblings: its key, its network "
            "or its version. 'Last seen' in red: it is gone, or no longer scraped.",
            sort="Calls",
            links={
                "Instance": [drill_down("Errors of this instance", uid("errors", queries), instance="instance")],
            },
        ),
        time_series(
            "Calls a minute, by instance",
            Query(f"60 * {queries.calls(by=by)}", "{{instance}}"),
            description="How the load is spread. A line that ends: the instance is gone. One far above the others: "
            "the load balancer.",
            unit="cpm",
            stacked=True,
        ),
    ]


def _by_instance(queries: Queries) -> list[Any]:
    by = INSTANCE
    return [
        time_series(
            "Share that fails, by instance",
            Query(queries.failed_ratio(), "{{instance}}"),
            description="One instance alone above the line: restart it, then compare its key, network and version. "
            "All of them: it is not the instances.",
            unit="percentunit",
            steps=colour_steps.error_rate(queries.spec),
        ),
        time_series(
            "p95, by instance",
            Query(queries.p95(), "{{instance}}"),
            description="One instance alone is slow: its network, its CPU, or a full connection pool.",
            unit="s",
        ),
        time_series(
            "In flight, by instance",
            Query(f"sum by {queries.by(*by)} ({queries.select(ACTIVE_CALLS)})", "{{instance}}"),
            description="Calls that wait for an answer. A line that climbs and never falls: streams that are never "
            "closed.",
            unit="short",
        ),
        time_series(
            "Cost an hour, by instance",
            Query(f"3600 * {queries.total(COST, by=by)}", "{{instance}}"),
            description="US dollars an hour. One instance far above the others: a loop, or a job that runs there "
            "alone.",
            unit="currencyUSD",
            stacked=True,
        ),
    ]


def _itself(queries: Queries) -> list[Any]:
    return [
        time_series(
            "Calls by provider and host",
            Query(f"60 * {queries.calls(by=(PROVIDER, SERVER_ADDRESS))}", queries.legend(PROVIDER, SERVER_ADDRESS)),
            description="Where calls go. A host that should not be there: a base_url of a test, or a proxy.",
            unit="cpm",
            stacked=True,
        ),
        time_series(
            "Calls by operation",
            Query(f"60 * {queries.calls(by=(OPERATION,))}", queries.legend(OPERATION)),
            description="What is called. Many batches.retrieve: batches are polled too often.",
            unit="cpm",
            stacked=True,
        ),
        time_series(
            "Batch results",
            Query(f"60 * {queries.total(BATCH_RESULTS, by=(BATCH_OUTCOME,))}", queries.legend(BATCH_OUTCOME)),
            description="Results of message batches that were read, a minute. errored: as for calls, see Errors; "
            "expired: the batch was too large for its day.",
            unit="cpm",
            stacked=True,
            colours={"succeeded": GOOD, "errored": BAD, "canceled": "blue", "expired": "orange"},
            empty="No batches",
        ),
        time_series(
            "Faults of claudescope",
            Query(f"60 * {queries.total(INTERNAL_ERRORS, by=(COMPONENT,))}", queries.legend(COMPONENT)),
            description="What went wrong inside claudescope, a minute. Report it with the component; logging of "
            "'claudescope' at debug has the traceback.",
            unit="cpm",
            stacked=True,
            empty="None",
        ),
        time_series(
            "Held back from Sentry",
            Query(f"60 * {queries.total(EVENTS_DROPPED, by=(ERROR_TYPE,))}", queries.legend(ERROR_TYPE)),
            description="Events a minute that flood control held back: one kind fails in a storm.",
            unit="cpm",
            stacked=True,
            colours=ERROR_TYPE_COLOURS,
            empty="None",
        ),
    ]
