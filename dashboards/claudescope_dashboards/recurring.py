"""Queries that several dashboards ask: errors that happened, headroom that is fresh, changes, deploys."""

from __future__ import annotations

from typing import Final

from claudescope.schema.catalogue import (
    ERROR_TYPE,
    PROCESS_START_TIME,
    RATE_LIMIT,
    RATE_LIMIT_REMAINING,
    REQUEST_MODEL,
    Label,
)
from claudescope_dashboards.queries import RANGE, Queries

__all__ = ["SERVICE_VERSION", "deploys", "errors_by_type", "headroom", "since_yesterday", "while_called"]

SERVICE_VERSION: Final = Label("service.version", "The version of the service, an attribute of its resource.")


def errors_by_type(queries: Queries) -> str:
    """Failed calls per second by error type, of those types that happened in the time range.

    Every type is there with 0 before its first error, and the names of all would fill the legend.
    """
    by = (ERROR_TYPE,)
    happened = queries.failed(by=by, window=RANGE, function="increase")
    return f"{queries.failed(by=by)} and on {queries.by(*by)} (last_over_time(({happened})[5m:1m] @ end()) > 0)"


def since_yesterday(increase: str) -> str:
    """The relative change of an increase over the time range against the same time range a day before."""
    return f"({increase}) / (last_over_time(({increase})[5m:1m] offset 1d) > 0) - 1"


def headroom(queries: Queries, *by: Label) -> str:
    """The remaining part of each model's tightest rate limit, where `while_called` keeps it."""
    ratio = f"{queries.gauge(RATE_LIMIT_REMAINING)} / ({queries.gauge(RATE_LIMIT)} > 0)"
    return while_called(queries, f"min by {queries.by(REQUEST_MODEL, *by)} ({ratio})")


def while_called(queries: Queries, expr: str) -> str:
    """Keep the models of an expression that were called in the last 10 minutes.

    Rate limits are known from the headers of the last response. They fill up within a minute.
    """
    called = queries.calls(by=(REQUEST_MODEL,), window="10m", function="increase")
    return f"{expr} and on {queries.by(REQUEST_MODEL)} ({called} > 0)"


def deploys(queries: Queries) -> str:
    """How many processes started in the last two minutes, by job and version of the service."""
    info = queries.narrowed("target_info", 'job=~"$job", instance=~"$instance"')
    # Two series of one process would fail the whole query.
    one = f"topk by (job, instance) (1, max by {queries.by('job', 'instance', SERVICE_VERSION)} ({info}))"
    young = f"(time() - {queries.select(PROCESS_START_TIME)} < 120 >= 0)"
    known = f"0 * {young} + on (job, instance) group_left {queries.by(SERVICE_VERSION)} {one}"
    return f"count by {queries.by('job', SERVICE_VERSION)} ({known} or on (job, instance) {young})"
