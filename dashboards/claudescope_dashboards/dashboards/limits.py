"""How near calls are to the rate limits, when these will be reached, and who uses them up."""

from __future__ import annotations

from typing import Any

from claudescope.schema.catalogue import (
    DURATION,
    ERROR_TYPE,
    OUTCOME,
    RATE_LIMIT,
    RATE_LIMIT_REMAINING,
    RATE_LIMIT_TYPE,
    REQUEST_MODEL,
    RETRIES,
    TOKEN_TYPE,
    TOKEN_USAGE,
    WORKFLOW,
)
from claudescope.schema.error_types import ERROR_TYPES
from claudescope_alerts.promql.selectors import Match
from claudescope_dashboards.dashboards import colour_steps
from claudescope_dashboards.grafana.layout import Row, dashboard, uid
from claudescope_dashboards.grafana.palette import ERROR_TYPE_COLOURS
from claudescope_dashboards.grafana.panels import Column, Query, Step, bar_gauge, drill_down, stat, table, time_series
from claudescope_dashboards.queries import ENDED, Queries

__all__ = ["limits"]

_FAR = 3600
"""Seconds: an exhaustion that is further away than an hour is none."""

_QUOTA = Match(ERROR_TYPE, tuple(row.name for row in ERROR_TYPES.values() if row.owner == "quota"))


def limits(queries: Queries) -> dict[str, Any]:
    """The board."""
    return dashboard(
        "limits",
        queries,
        [
            Row(5, _numbers(queries)),
            Row(9, _headroom(queries), widths=(10, 7, 7), title="Headroom"),
            Row(8, _use(queries), title="What uses it up"),
        ],
        description="How near are the rate limits, when are they reached, and who uses them up?",
    )


def _left(queries: Queries) -> str:
    return f"{queries.gauge(RATE_LIMIT_REMAINING)} / ({queries.gauge(RATE_LIMIT)} > 0)"


def _exhaustion(queries: Queries) -> str:
    """Seconds until nothing is left at the pace of the last quarter of an hour; an hour where that is far, or never."""
    remaining = queries.gauge(RATE_LIMIT_REMAINING)
    falls = queries.gauge(RATE_LIMIT_REMAINING, "deriv", "15m")
    return f"clamp_max({remaining} / clamp_min(-1 * {falls}, 1e-9), {_FAR})"


def _numbers(queries: Queries) -> list[Any]:
    spec = queries.spec
    headroom = colour_steps.falling(float(spec.thresholds.headroom), float(spec.thresholds.headroom) * 2.5)
    quota = queries.failed(_QUOTA)
    attempts, repeated = queries.calls(ENDED), queries.total(RETRIES, _QUOTA)
    refused = f"(({quota} or 0 * {attempts}) + ({repeated} or 0 * {attempts})) / ({attempts} > 0)"
    return [
        stat(
            "Least headroom",
            Query(f"min({_left(queries)})"),
            description="What is left of the limit that is nearest to its end. Red: less than the alert's threshold; "
            "spread the load, cache more input, or ask for a higher limit.",
            unit="percentunit",
            steps=headroom,
            decimals=0,
        ),
        stat(
            "First exhausted in",
            Query(f"min({_exhaustion(queries)})"),
            description="Time until a limit is used up at the pace of the last 15 minutes; 1 hour stands for later or "
            "never. Red: calls are refused within minutes; hold back optional load now.",
            unit="s",
            steps=colour_steps.falling(120, 600),
            decimals=0,
        ),
        stat(
            "Refused attempts per call",
            Query(refused),
            description="Attempts that a rate limit refused, repeated ones included, per call. Red: more than one in "
            "ten; lower concurrency, as each refusal makes users wait.",
            unit="percentunit",
            steps=colour_steps.rising(0.01, 0.1),
            decimals=2,
            links=[drill_down("Errors & retries", uid("errors", queries))],
        ),
        stat(
            "Tokens a minute",
            Query(f"60 * {queries.total(TOKEN_USAGE, part='sum')}"),
            description="Input and output tokens together, as the limits count them a minute. It has no threshold: "
            "compare it with the limits below.",
            unit="short",
            steps=(Step("blue"),),
        ),
    ]


def _headroom(queries: Queries) -> list[Any]:
    spec = queries.spec
    steps = colour_steps.falling(float(spec.thresholds.headroom), float(spec.thresholds.headroom) * 2.5)
    by = queries.by(REQUEST_MODEL, RATE_LIMIT_TYPE)
    legend = queries.legend(REQUEST_MODEL, RATE_LIMIT_TYPE)
    model = queries.label(REQUEST_MODEL)
    return [
        bar_gauge(
            "What is left now",
            Query(f"min by {by} ({_left(queries)})", legend),
            description="Share of each limit that the last response left; of several processes the one that saw "
            "least. Red: this limit is what calls will be refused for.",
            unit="percentunit",
            steps=steps,
            high=1,
            links=[drill_down("Cost and tokens of this model", uid("cost", queries), model=model)],
        ),
        time_series(
            "What was left",
            Query(f"min by {queries.by(REQUEST_MODEL)} ({_left(queries)})", queries.legend(REQUEST_MODEL)),
            description="Share left of each model's tightest limit over time. A saw-tooth that reaches the "
            "line: bursts; spread them. A line that stays low: steady load; ask for a higher limit.",
            unit="percentunit",
            steps=steps,
            high=1,
        ),
        time_series(
            "Time to exhaustion",
            Query(f"min by {queries.by(REQUEST_MODEL)} ({_exhaustion(queries)})", queries.legend(REQUEST_MODEL)),
            description="Seconds until the limit is used up at the pace of the last 15 minutes, at most an hour. Below "
            "the line: hold back optional load now.",
            unit="s",
            steps=colour_steps.falling(120, 600),
            high=_FAR,
        ),
    ]


def _use(queries: Queries) -> list[Any]:
    by = queries.by(REQUEST_MODEL, RATE_LIMIT_TYPE)
    return [
        table(
            "Limits",
            Column(f"max by {by} ({queries.gauge(RATE_LIMIT)})", "A minute", "short"),
            labels={queries.label(REQUEST_MODEL): "Model", queries.label(RATE_LIMIT_TYPE): "Limit"},
            description="What each limit allows in a minute. Less than yesterday: the account's tier or its workspace "
            "changed.",
            sort="A minute",
            widths={"A minute": 90},
        ),
        time_series(
            "Tokens a minute, by workflow",
            Query(
                f"60 * {queries.total(TOKEN_USAGE, by=(WORKFLOW, TOKEN_TYPE), part='sum')}",
                queries.legend(WORKFLOW, TOKEN_TYPE),
            ),
            description="Who uses the token limits. The largest band is the one to cache, to batch or to slow down.",
            unit="short",
            stacked=True,
        ),
        time_series(
            "Calls a minute, by workflow",
            Query(f"60 * {queries.calls(by=(WORKFLOW,))}", queries.legend(WORKFLOW)),
            description="Who uses the limit on requests. Many small calls: batch them.",
            unit="cpm",
            stacked=True,
        ),
        time_series(
            "Refused and repeated",
            Query(f"60 * {queries.total(RETRIES, _QUOTA, by=(ERROR_TYPE,))}", f"{queries.legend(ERROR_TYPE)} repeated"),
            Query(
                f"60 * {queries.total(DURATION, Match(OUTCOME, ('error',)), _QUOTA, by=(ERROR_TYPE,), part='count')}",
                f"{queries.legend(ERROR_TYPE)} failed",
            ),
            description="Attempts a minute that a limit refused. Repeated ones cost time; failed ones reached the "
            "user: lower concurrency until there are none.",
            unit="cpm",
            stacked=True,
            colours={f"{kind} repeated": ERROR_TYPE_COLOURS["ramp_limit_error"] for kind in ("rate_limit_error",)}
            | {"rate_limit_error failed": ERROR_TYPE_COLOURS["rate_limit_error"]},
            empty="None refused",
        ),
    ]
