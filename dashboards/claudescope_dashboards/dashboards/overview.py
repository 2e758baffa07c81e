"""Is Claude healthy, what does it cost, who uses it: one screen, without scrolling."""

from __future__ import annotations

from typing import Any

from claudescope.schema.catalogue import (
    COST,
    DURATION,
    ERROR_TYPE,
    OUTCOME,
    RATE_LIMIT,
    RATE_LIMIT_REMAINING,
    REQUEST_MODEL,
    RESPONSE_MODEL,
    TIME_TO_FIRST_CHUNK,
    WORKFLOW,
)
from claudescope.schema.recorded_series import ERROR_BUDGET_REMAINING
from claudescope_dashboards.dashboards import colour_steps
from claudescope_dashboards.grafana.layout import Row, dashboard, uid
from claudescope_dashboards.grafana.palette import BAD, ERROR_TYPE_COLOURS, GOOD, OUTCOME_COLOURS
from claudescope_dashboards.grafana.panels import Column, Query, Step, bar_gauge, drill_down, stat, table, time_series
from claudescope_dashboards.queries import CHAT, ENDED, IN_BUDGET, RANGE, Queries

__all__ = ["overview"]


def overview(queries: Queries) -> dict[str, Any]:
    """The board."""
    return dashboard(
        "overview",
        queries,
        [
            Row(4, _numbers(queries)),
            Row(8, _health(queries)),
            Row(9, _users(queries), widths=(6, 8, 5, 5)),
        ],
        description="Is Claude healthy, what does it cost, who uses it?",
    )


def _numbers(queries: Queries) -> list[Any]:
    spec = queries.spec
    errors, latency = (
        drill_down("Errors & retries", uid("errors", queries)),
        drill_down("Latency", uid("latency", queries)),
    )
    cost, slo = drill_down("Tokens & cost", uid("cost", queries)), drill_down("SLO & error budget", uid("slo", queries))
    limits = drill_down("Rate limits", uid("limits", queries))
    failed = queries.ratio(queries.failed(IN_BUDGET), queries.calls(ENDED))
    least = (
        f"bottomk(1, min by {queries.by(REQUEST_MODEL)} ({queries.gauge(RATE_LIMIT_REMAINING)} / "
        f"({queries.gauge(RATE_LIMIT)} > 0)))"
    )
    return [
        stat(
            "Alerts firing",
            Query(f"count({queries.alerts()}) or vector(0)"),
            description="Alerts that fire now. Red: open the board of errors, or the runbook that the alert links to.",
            unit="none",
            steps=(Step(GOOD), Step(BAD, 1)),
            graph=False,
            links=[slo, errors],
        ),
        stat(
            "Success rate",
            Query(f"1 - {failed}"),
            description="Share of calls that did not fail for a reason outside of their own request. Red: the error "
            "budget burns as fast as a page takes; see which kind fails under Errors & retries.",
            unit="percentunit",
            steps=colour_steps.availability(spec),
            decimals=2,
            links=[errors],
        ),
        stat(
            "Error budget",
            Query(
                f"bottomk(1, min by (slo) ({queries.recorded(ERROR_BUDGET_REMAINING.name)}))",
                "{{slo}}",
                instant=True,
            ),
            named=True,
            graph=False,
            description="What is left of the error budget of the objective that has least. Red: it is used up; hold "
            "back risky changes, and see which objective it is under SLO & error budget.",
            unit="percentunit",
            steps=colour_steps.falling(0, 0.25),
            decimals=1,
            links=[slo],
        ),
        stat(
            "Calls a minute",
            Query(f"60 * {queries.calls()}"),
            description="Calls that ended, all operations. It has no threshold: a sudden zero is the app's or the "
            "telemetry's, see Fleet.",
            unit="cpm",
            steps=(Step("blue"),),
            links=[drill_down("Fleet", uid("fleet", queries))],
        ),
        stat(
            "Duration, p95",
            Query(queries.quantile(0.95, DURATION, CHAT)),
            description="One call in twenty takes longer, retries and the reading of streams included. Red: more "
            "calls are slow than the objective allows; see Latency for the model.",
            unit="s",
            steps=colour_steps.latency(spec, "claude-duration"),
            links=[latency],
        ),
        stat(
            "First token, p95",
            Query(queries.quantile(0.95, TIME_TO_FIRST_CHUNK)),
            description="One stream in twenty takes longer to show its first token. Red: readers wait; see Latency, "
            "then status.claude.com.",
            unit="s",
            steps=colour_steps.latency(spec, "claude-first-token"),
            links=[latency],
        ),
        stat(
            "Cost a day",
            Query(f"86400 * {queries.total(COST, window='1h')}"),
            description="What a day costs at the pace of the last hour. Red: three times the day's budget; see Tokens "
            "& cost for the workflow that spends it.",
            unit="currencyUSD",
            steps=colour_steps.pace(spec),
            decimals=2,
            links=[cost],
        ),
        stat(
            "Least headroom",
            Query(least, queries.legend(REQUEST_MODEL), instant=True),
            named=True,
            graph=False,
            description="What is left of the rate limit that is nearest to its end. Red: calls will soon be refused; "
            "see Rate limits for the model and the limit.",
            unit="percentunit",
            steps=colour_steps.falling(float(spec.thresholds.headroom), float(spec.thresholds.headroom) * 2.5),
            decimals=0,
            links=[limits],
        ),
    ]


def _health(queries: Queries) -> list[Any]:
    errors, latency = uid("errors", queries), uid("latency", queries)
    return [
        time_series(
            "Calls by outcome",
            Query(f"60 * {queries.calls(by=(OUTCOME,))}", queries.legend(OUTCOME)),
            description="Calls a minute by how they ended. A red band: calls fail, see the kinds beside it. Purple or "
            "blue: the app breaks calls off, look at its deadlines.",
            unit="cpm",
            stacked=True,
            colours=OUTCOME_COLOURS,
            links=[drill_down("Errors & retries", errors)],
        ),
        time_series(
            "Failures by kind",
            Query(f"60 * {queries.failed(by=(ERROR_TYPE,))}", queries.legend(ERROR_TYPE)),
            description="Failed calls a minute. Red hues are the provider's, orange the quota's, yellow the account's, "
            "blue the caller's. What to do about each kind is in the table of Errors & retries.",
            unit="cpm",
            stacked=True,
            colours=ERROR_TYPE_COLOURS,
            links=[drill_down("Errors & retries", errors)],
            empty="No failures",
        ),
        time_series(
            "Duration and first token",
            Query(queries.quantile(0.5, DURATION, CHAT), "duration p50"),
            Query(queries.quantile(0.95, DURATION, CHAT), "duration p95"),
            Query(queries.quantile(0.5, TIME_TO_FIRST_CHUNK), "first token p50"),
            Query(queries.quantile(0.95, TIME_TO_FIRST_CHUNK), "first token p95"),
            description="Seconds per call and until its first token. If both rise, the provider is slow; if only the "
            "duration rises, answers have become longer or are retried.",
            unit="s",
            scale="log",
            low=None,
            colours={
                "duration p50": "light-blue",
                "duration p95": "dark-blue",
                "first token p50": "light-green",
                "first token p95": "dark-green",
            },
            links=[drill_down("Latency", latency)],
        ),
    ]


def _users(queries: Queries) -> list[Any]:
    by = (WORKFLOW,)
    cost, limits = uid("cost", queries), uid("limits", queries)
    workflow = queries.label(WORKFLOW)
    headroom = (
        f"min by {queries.by(REQUEST_MODEL)} ({queries.gauge(RATE_LIMIT_REMAINING)} / "
        f"({queries.gauge(RATE_LIMIT)} > 0))"
    )
    model = queries.label(REQUEST_MODEL)
    return [
        time_series(
            "Cost by model",
            Query(f"3600 * {queries.total(COST, by=(RESPONSE_MODEL,))}", queries.legend(RESPONSE_MODEL)),
            description="US dollars an hour. A step up: look who caused it in the table beside, then at tokens per "
            "call in Tokens & cost.",
            unit="currencyUSD",
            stacked=True,
            links=[drill_down("Tokens & cost of this model", cost, model=queries.label(RESPONSE_MODEL))],
        ),
        table(
            "Who uses it",
            Column(queries.calls(by=by, window=RANGE, function="increase"), "Calls", "short"),
            Column(
                queries.ratio(queries.failed(by=by, window=RANGE), queries.calls(by=by, window=RANGE)),
                "Failed",
                "percentunit",
                colour_steps.failing(queries.spec),
            ),
            Column(queries.quantile(0.95, DURATION, CHAT, by=by, window=RANGE), "p95", "s"),
            Column(queries.total(COST, by=by, window=RANGE, function="increase"), "Cost", "currencyUSD"),
            labels={workflow: "Workflow"},
            description="Workflows over the whole time range, dearest first. Red: this workflow fails more than the "
            "objective allows; click its name for its errors.",
            sort="Cost",
            widths={"Workflow": 130},
            links={
                "Workflow": [
                    drill_down("Errors of this workflow", uid("errors", queries), workflow=workflow),
                    drill_down("Cost of this workflow", cost, workflow=workflow),
                ]
            },
        ),
        bar_gauge(
            "Rate limits, what is left",
            Query(headroom, queries.legend(REQUEST_MODEL)),
            description="What the last response left of each model's tightest limit. Red: less than the alert's "
            "threshold; spread the load, cache more input, or ask for a higher limit.",
            unit="percentunit",
            steps=colour_steps.falling(
                float(queries.spec.thresholds.headroom), float(queries.spec.thresholds.headroom) * 2.5
            ),
            high=1,
            links=[drill_down("Rate limits of this model", limits, model=model)],
        ),
        table(
            "Firing now",
            Column(f"max by (alertname, severity, slo, error_type) ({queries.alerts()})", "", "none"),
            labels={"alertname": "Alert", "slo": "Objective", "error_type": "Kind", "severity": "Severity"},
            description="The alerts that fire now. A page: users are hurt, act by its runbook. A ticket: within the "
            "day. Nothing here and users complain: look at Fleet, the telemetry may have stopped.",
            sort="Severity",
            links={"Alert": [drill_down("SLO & error budget", uid("slo", queries))]},
            widths={"Severity": 90},
            empty="Nothing fires",
        ),
    ]
