"""Rate limits: headroom, time to exhaustion, and usage by workflow."""

from __future__ import annotations

from typing import Any

from claudescope.schema.catalogue import (
    ERROR_TYPE,
    RATE_LIMIT,
    RATE_LIMIT_REMAINING,
    RATE_LIMIT_TYPE,
    REQUEST_MODEL,
    RETRIES,
    TOKENS,
    WORKFLOW,
)
from claudescope.schema.error_types import ERROR_TYPES
from claudescope_alerts.promql.selectors import Match
from claudescope_dashboards.dashboards import colour_steps
from claudescope_dashboards.grafana.layout import Row, dashboard, uid
from claudescope_dashboards.grafana.palette import ERROR_TYPE_COLOURS
from claudescope_dashboards.grafana.panels import Query, Step, bar_gauge, drill_down, stat, time_series
from claudescope_dashboards.grafana.tables import Column, table
from claudescope_dashboards.queries import ENDED, Queries
from claudescope_dashboards.recurring import headroom, while_called

__all__ = ["limits"]

_LONGEST = 3600
"""Longest time to exhaustion that is shown, in seconds."""

_QUOTA = Match(ERROR_TYPE, tuple(row.name for row in ERROR_TYPES.values() if row.owner == "quota"))


def limits(queries: Queries) -> dict[str, Any]:
    """Build the dashboard."""
    return dashboard(
        "limits",
        queries,
        [
            Row(5, _numbers(queries)),
            Row(9, _headroom(queries), widths=(10, 7, 7), title="Headroom"),
            Row(9, _use(queries), widths=(7, 6, 6, 5), title="Usage"),
        ],
        description="Headroom of the rate limits, time to exhaustion, and usage by workflow.",
    )


def _exhaustion(queries: Queries) -> str:
    """Seconds until a model's first limit is exhausted at the rate of the last 15 minutes, at most one hour."""
    remaining = queries.gauge(RATE_LIMIT_REMAINING)
    falls = queries.gauge(RATE_LIMIT_REMAINING, "deriv", "15m")
    first = f"min by {queries.by(REQUEST_MODEL)} ({remaining} / clamp_min(-1 * {falls}, 1e-9))"
    return while_called(queries, f"clamp_max({first}, {_LONGEST})")


def _numbers(queries: Queries) -> list[Any]:
    spec = queries.spec
    steps = colour_steps.falling(float(spec.thresholds.headroom), float(spec.thresholds.headroom) * 2.5)
    quota = queries.failed(_QUOTA)
    attempts, retried = queries.calls(ENDED), queries.total(RETRIES, _QUOTA)
    limited = f"(({quota} or 0 * {attempts}) + ({retried} or 0 * {attempts})) / ({attempts} > 0)"
    return [
        stat(
            "Lowest headroom now",
            Query(f"min({headroom(queries)})"),
            description="Remaining part of the limit that is closest to exhaustion. Red: below the alert's threshold; "
            "spread the load, cache more input, or request a higher limit.",
            unit="percentunit",
            steps=steps,
            decimals=0,
        ),
        stat(
            "Time to exhaustion now",
            Query(f"min({_exhaustion(queries)})"),
            description="Time until the first limit is exhausted at the rate of the last 15 minutes; 1 hour means "
            "later or never. Red: the API will reject calls within minutes; stop optional load now.",
            unit="s",
            steps=colour_steps.falling(120, 600),
            decimals=0,
        ),
        stat(
            "Rate-limited attempts per call now",
            Query(limited),
            description="Attempts that a rate limit rejected, including those that were retried, per call. Red: at "
            "least one in ten; lower the concurrency, as each rejection makes users wait.",
            unit="percentunit",
            steps=colour_steps.rising(0.01, 0.1),
            decimals=2,
            links=[drill_down("Errors & retries", uid("errors", queries))],
        ),
        stat(
            "Token usage per minute now",
            Query(f"60 * {queries.total(TOKENS)}"),
            description="Input and output tokens per minute. This number has no threshold: compare it with the limits "
            "below.",
            unit="short",
            steps=(Step("blue"),),
        ),
    ]


def _headroom(queries: Queries) -> list[Any]:
    spec = queries.spec
    steps = colour_steps.falling(float(spec.thresholds.headroom), float(spec.thresholds.headroom) * 2.5)
    legend = queries.legend(REQUEST_MODEL, RATE_LIMIT_TYPE)
    model = queries.label(REQUEST_MODEL)
    return [
        bar_gauge(
            "Headroom by limit",
            Query(headroom(queries, RATE_LIMIT_TYPE), legend, instant=True),
            description="Remaining part of each limit, from the last response; the lowest value of all processes. Red: "
            "this limit will reject calls soon; spread the load or request a higher limit.",
            unit="percentunit",
            steps=steps,
            high=1,
            links=[drill_down("Tokens & cost of this model", uid("cost", queries), model=model)],
        ),
        time_series(
            "Headroom by model",
            Query(headroom(queries), queries.legend(REQUEST_MODEL)),
            description="Remaining part of each model's tightest limit over time. If it dips to the threshold in "
            "bursts, spread the load. If it stays low, request a higher limit.",
            unit="percentunit",
            steps=steps,
            high=1,
        ),
        time_series(
            "Time to exhaustion by model",
            Query(_exhaustion(queries), queries.legend(REQUEST_MODEL)),
            description="Time until the limit is exhausted at the rate of the last 15 minutes, at most one hour. Below "
            "the threshold: stop optional load now.",
            unit="s",
            steps=colour_steps.falling(120, 600),
            high=_LONGEST,
        ),
    ]


def _use(queries: Queries) -> list[Any]:
    def limit(name: str) -> str:
        return queries.gauge(RATE_LIMIT, matches=(Match(RATE_LIMIT_TYPE, (name,)),))

    return [
        table(
            "Rate limits per minute",
            *(
                Column(f"max by {queries.by(REQUEST_MODEL)} ({limit(name)})", title, "short")
                for name, title in (("requests", "Requests"), ("input_tokens", "Input"), ("output_tokens", "Output"))
            ),
            labels={queries.label(REQUEST_MODEL): "Model"},
            description="Requests, input tokens and output tokens that each model may have per minute. If "
            "one is lower than before, the tier or the workspace of the account has changed.",
            sort="Input",
            widths={"Requests": 80, "Input": 65, "Output": 65},
        ),
        time_series(
            "Token usage per minute by workflow",
            Query(
                f"60 * {queries.total(TOKENS, by=(WORKFLOW,))}",
                queries.legend(WORKFLOW),
            ),
            description="Input and output tokens per minute by workflow. Cache, batch or slow down the largest "
            "workflow first.",
            unit="short",
            stacked=True,
        ),
        time_series(
            "Calls per minute by workflow",
            Query(f"60 * {queries.calls(by=(WORKFLOW,))}", queries.legend(WORKFLOW)),
            description="Calls per minute by workflow, which count against the limit on requests. Batch many small "
            "calls.",
            unit="cpm",
            stacked=True,
        ),
        time_series(
            "Rate-limited attempts",
            Query(f"60 * {queries.total(RETRIES, _QUOTA, by=(ERROR_TYPE,))}", f"{queries.legend(ERROR_TYPE)} retried"),
            Query(
                f"60 * {queries.failed(_QUOTA, by=(ERROR_TYPE,))}",
                f"{queries.legend(ERROR_TYPE)} failed",
            ),
            description="Attempts per minute that a limit rejected. Retried attempts cost time; failed ones reached "
            "the user. Lower the concurrency until no call fails.",
            unit="cpm",
            stacked=True,
            colours={
                "rate_limit_error retried": ERROR_TYPE_COLOURS["ramp_limit_error"],
                "rate_limit_error failed": ERROR_TYPE_COLOURS["rate_limit_error"],
            },
            empty="No rate-limited attempts",
        ),
    ]
