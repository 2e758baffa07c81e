"""Overview on one screen: health, cost, usage and rate limits."""

from __future__ import annotations

from typing import Any, Final

from claudescope.schema.catalogue import (
    CALLS,
    COST,
    DURATION,
    ERROR_TYPE,
    OUTCOME,
    REQUEST_MODEL,
    RESPONSE_MODEL,
    TIME_TO_FIRST_CHUNK,
    TOKENS,
    WORKFLOW,
)
from claudescope.schema.recorded_series import ERROR_BUDGET_REMAINING
from claudescope_dashboards.dashboards import colour_steps
from claudescope_dashboards.grafana.grafanalib_ext import override, thresholds_of
from claudescope_dashboards.grafana.layout import Row, dashboard, uid
from claudescope_dashboards.grafana.palette import BAD, ERROR_TYPE_COLOURS, GOOD, OUTCOME_COLOURS, WARNING
from claudescope_dashboards.grafana.panels import Query, Step, bar_gauge, drill_down, stat, time_series
from claudescope_dashboards.grafana.tables import Column, table
from claudescope_dashboards.queries import CHAT, ENDED, IN_BUDGET, RANGE, RATE, Queries
from claudescope_dashboards.recurring import errors_by_type, headroom, since_yesterday

__all__ = ["overview"]

_OF_ALERTS: Final = ("alertname", "severity", "slo", "error_type")
"""The labels of a row in the table of alerts."""


def overview(queries: Queries) -> dict[str, Any]:
    """Build the dashboard."""
    return dashboard(
        "overview",
        queries,
        [
            Row(3, _now(queries), title="Now"),
            Row(3, _in_range(queries), widths=(4, 4, 2, 3, 3, 3, 5), title="In the time range"),
            Row(7, _health(queries)),
            Row(7, _usage(queries), widths=(5, 8, 4, 7)),
        ],
        description="Health, cost, usage and rate limits of the calls to Claude.",
    )


def _now(queries: Queries) -> list[Any]:
    spec = queries.spec
    errors, latency = (
        drill_down("Errors & retries", uid("errors", queries)),
        drill_down("Latency", uid("latency", queries)),
    )
    slo, limits = (
        drill_down("SLO & error budget", uid("slo", queries)),
        drill_down("Rate limits", uid("limits", queries)),
    )
    return [
        stat(
            "Alerts",
            *(
                Query(f"count({queries.alerts(severity=severity)}) or vector(0)", f"{severity}s")
                for severity in ("page", "ticket")
            ),
            description="Number of alerts that are firing. Red: somebody was paged; open the runbook of the alert. "
            "Orange: a ticket needs action within the day. The table below lists them.",
            unit="none",
            steps=(Step(GOOD), Step(WARNING, 1)),
            overrides=[override("pages", {"id": "thresholds", "value": thresholds_of((Step(GOOD), Step(BAD, 1)))})],
            beside=True,
            links=[slo, errors],
        ),
        _success_rate(queries, RATE),
        stat(
            "Calls per minute",
            Query(f"60 * {queries.calls()}"),
            description="Calls of all operations that ended. This number has no threshold. If it drops to zero, open "
            "Fleet to see whether the app or its telemetry has stopped.",
            unit="cpm",
            steps=(Step("blue"),),
            links=[drill_down("Fleet", uid("fleet", queries))],
        ),
        stat(
            "Duration p95",
            Query(queries.quantile(0.95, DURATION, CHAT)),
            description="95th percentile of the duration of calls, including retries and the reading of streams. Red: "
            "more calls are slow than the objective allows; open Latency to find the model.",
            unit="s",
            steps=colour_steps.latency(spec, "claude-duration"),
            links=[latency],
        ),
        stat(
            "First token p95",
            Query(queries.quantile(0.95, TIME_TO_FIRST_CHUNK)),
            description="95th percentile of the time from the start of a stream to its first token. Red: users wait "
            "too long; open Latency, then check status.claude.com.",
            unit="s",
            steps=colour_steps.latency(spec, "claude-first-token"),
            links=[latency],
        ),
        stat(
            "Lowest headroom",
            Query(f"bottomk(1, {headroom(queries)})", queries.legend(REQUEST_MODEL), instant=True),
            named=True,
            description="Remaining part of the rate limit that is closest to exhaustion, of models that were called in "
            "the last 10 minutes. Red: the API will soon reject calls; open Rate limits to find the model and the "
            "limit.",
            unit="percentunit",
            steps=colour_steps.falling(float(spec.thresholds.headroom), float(spec.thresholds.headroom) * 2.5),
            decimals=0,
            links=[limits],
        ),
    ]


def _success_rate(queries: Queries, window: str) -> Any:
    failed = queries.failed(IN_BUDGET, window=window)
    return stat(
        "Success rate",
        Query(f"1 - {queries.ratio(failed, queries.calls(ENDED, window=window))}", instant=window == RANGE),
        description="Ratio of calls without an error, apart from errors that the request itself caused. Red: the "
        "error budget burns fast enough for a page; find the error type in Errors & retries.",
        unit="percentunit",
        steps=colour_steps.success_rate(queries.spec),
        decimals=2,
        links=[drill_down("Errors & retries", uid("errors", queries))],
    )


def _in_range(queries: Queries) -> list[Any]:
    cost = drill_down("Tokens & cost", uid("cost", queries))
    calls, tokens, dollars = (
        queries.total(metric, window=RANGE, function="increase") for metric in (CALLS, TOKENS, COST)
    )
    return [
        _success_rate(queries, RANGE),
        stat(
            "Lowest error budget",
            Query(
                f"bottomk(1, min by (slo) ({queries.recorded(ERROR_BUDGET_REMAINING.name)}))",
                "{{slo}}",
                instant=True,
            ),
            named=True,
            description="Remaining error budget of the objective with the least, over the period of the objective. "
            "Red: the budget is exhausted; hold back risky changes, and open SLO & error budget.",
            unit="percentunit",
            steps=colour_steps.falling(0, 0.25),
            decimals=1,
            links=[drill_down("SLO & error budget", uid("slo", queries))],
        ),
        stat(
            "Calls",
            Query(calls, instant=True),
            description="Calls of all operations that ended. This number has no threshold.",
            unit="locale",
            steps=(Step("blue"),),
            decimals=0,
        ),
        stat(
            "Tokens",
            Query(tokens, instant=True),
            description="Input and output tokens. This number has no threshold; open Tokens & cost to see who uses "
            "them.",
            unit="short",
            steps=(Step("blue"),),
            links=[cost],
        ),
        stat(
            "Cost",
            Query(dollars, instant=True),
            description="US dollars, for calls with a known price. This number has no threshold: see the daily cost "
            "beside it.",
            unit="currencyUSD",
            steps=(Step("blue"),),
            decimals=2,
            links=[cost],
        ),
        stat(
            "Daily cost",
            Query(f"86400 * {queries.total(COST, window='1h')}"),
            description="Cost of a day at the rate of the last hour. Red: at least three times the daily budget; open "
            "Tokens & cost to find the workflow.",
            unit="currencyUSD",
            steps=colour_steps.daily_cost(queries.spec),
            decimals=2,
            links=[cost],
        ),
        stat(
            "Change since yesterday",
            *(
                Query(since_yesterday(increase), name, instant=True)
                for name, increase in (("calls", calls), ("tokens", tokens), ("cost", dollars))
            ),
            description="Change against the same time range a day before. These numbers have no threshold. If tokens "
            "or cost grow faster than calls, open Tokens & cost.",
            unit="percentunit",
            steps=(Step("blue"),),
            decimals=0,
            beside=True,
            links=[cost],
            empty="no data",
        ),
    ]


def _health(queries: Queries) -> list[Any]:
    errors, latency = uid("errors", queries), uid("latency", queries)
    return [
        time_series(
            "Calls by outcome",
            Query(f"60 * {queries.calls(by=(OUTCOME,))}", queries.legend(OUTCOME)),
            description="Calls per minute by outcome. If errors grow, see the error types beside it. If cancelled or "
            "abandoned calls grow, check the timeouts of the app.",
            unit="cpm",
            stacked=True,
            colours=OUTCOME_COLOURS,
            links=[drill_down("Errors & retries", errors)],
        ),
        time_series(
            "Errors by type",
            Query(f"60 * {errors_by_type(queries)}", queries.legend(ERROR_TYPE)),
            description="Failed calls per minute by error type. The colour shows the owner: red is the provider, "
            "orange the quota, yellow the account, blue the caller. Errors & retries lists what to do about each type.",
            unit="cpm",
            stacked=True,
            colours=ERROR_TYPE_COLOURS,
            links=[drill_down("Errors & retries", errors)],
            empty="No errors",
        ),
        time_series(
            "Duration and time to first token",
            Query(queries.quantile(0.5, DURATION, CHAT), "duration p50"),
            Query(queries.quantile(0.95, DURATION, CHAT), "duration p95"),
            Query(queries.quantile(0.5, TIME_TO_FIRST_CHUNK), "time to first token p50"),
            Query(queries.quantile(0.95, TIME_TO_FIRST_CHUNK), "time to first token p95"),
            description="Percentiles of the duration of calls and of the time to first token. If both rise, the "
            "provider is slow. If only the duration rises, responses are longer or calls are retried.",
            unit="s",
            scale="log",
            low=None,
            colours={
                "duration p50": "light-blue",
                "duration p95": "dark-blue",
                "time to first token p50": "light-green",
                "time to first token p95": "dark-green",
            },
            links=[drill_down("Latency", latency)],
        ),
    ]


def _usage(queries: Queries) -> list[Any]:
    by = (WORKFLOW,)
    cost, limits = uid("cost", queries), uid("limits", queries)
    workflow = queries.label(WORKFLOW)
    model = queries.label(REQUEST_MODEL)
    return [
        time_series(
            "Cost per hour by model",
            Query(f"3600 * {queries.total(COST, by=(RESPONSE_MODEL,))}", queries.legend(RESPONSE_MODEL)),
            description="US dollars per hour by model. If the cost jumps, find the workflow in the table beside it, "
            "then check the tokens per call in Tokens & cost.",
            unit="currencyUSD",
            stacked=True,
            links=[drill_down("Tokens & cost of this model", cost, model=queries.label(RESPONSE_MODEL))],
        ),
        table(
            "Usage by workflow",
            Column(queries.calls(by=by, window=RANGE, function="increase"), "Calls", "locale", decimals=0),
            Column(
                queries.ratio(queries.failed(by=by, window=RANGE), queries.calls(by=by, window=RANGE)),
                "Errors",
                "percentunit",
                colour_steps.error_rate(queries.spec),
            ),
            Column(queries.quantile(0.95, DURATION, CHAT, by=by, window=RANGE), "p95", "s"),
            Column(queries.total(COST, by=by, window=RANGE, function="increase"), "Cost", "currencyUSD"),
            labels={workflow: "Workflow"},
            description="Calls, error rate, duration and cost of each workflow in the time range, highest cost first. "
            "Red: more calls fail than the objective allows; click the workflow to see its errors.",
            sort="Cost",
            widths={"Workflow": 125, "Calls": 70, "Cost": 80},
            links={
                "Workflow": [
                    drill_down("Errors of this workflow", uid("errors", queries), workflow=workflow),
                    drill_down("Cost of this workflow", cost, workflow=workflow),
                ]
            },
        ),
        bar_gauge(
            "Headroom by model",
            Query(headroom(queries), queries.legend(REQUEST_MODEL), instant=True),
            description="Remaining part of each model's tightest rate limit, from the last response, if the model was "
            "called in the last 10 minutes. Red: below the alert's threshold; spread the load, cache more input, or "
            "request a higher limit.",
            unit="percentunit",
            steps=colour_steps.falling(
                float(queries.spec.thresholds.headroom), float(queries.spec.thresholds.headroom) * 2.5
            ),
            high=1,
            links=[drill_down("Rate limits of this model", limits, model=model)],
        ),
        table(
            "Firing alerts",
            Column(f"max by ({', '.join(_OF_ALERTS)}) ({queries.alerts()})", "", "none"),
            Column(queries.alerts_since(*_OF_ALERTS), "Since", "dateTimeFromNow"),
            labels={"alertname": "Alert", "slo": "Objective", "error_type": "Error type", "severity": "Severity"},
            description="Alerts that are firing. A page needs action now, by its runbook. A ticket needs action within "
            "the day. If users report problems and no alert fires, open Fleet to see whether the telemetry has "
            "stopped.",
            sort="Severity",
            links={"Alert": [drill_down("SLO & error budget", uid("slo", queries))]},
            widths={"Severity": 80, "Since": 110},
            empty="No alerts are firing",
        ),
    ]
