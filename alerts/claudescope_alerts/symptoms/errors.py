"""Errors by kind, by whose fault they are; what takes a person at once, and what the app's own process lacks."""

from __future__ import annotations

from typing import Final

from claudescope.catalogue import DURATION, ERROR_TYPE, OPERATION, OUTCOME, RETRIES
from claudescope.errors import KINDS, ErrorKind
from claudescope_alerts.promql import Match, Names
from claudescope_alerts.rules import Alert, Group
from claudescope_alerts.sli import ENDED
from claudescope_alerts.spec import Spec
from claudescope_alerts.symptoms.shares import Count, Share, count_alert, share_alert, simulated

__all__ = ["groups"]

_POOL: Final = KINDS["pool_timeout_error"]
_CIRCUIT: Final = KINDS["circuit_open_error"]
_CUT: Final = KINDS["stream_interrupted_error"]
_OWN_ALERT: Final = {_POOL.kind, _CIRCUIT.kind, _CUT.kind}
_ACCOUNT_ALERTS: Final = {
    KINDS["spend_limit_error"].kind: "ClaudeSpendLimitReached",
    KINDS["authentication_error"].kind: "ClaudeAuthenticationFailing",
    KINDS["billing_error"].kind: "ClaudeBillingFailing",
}
"""Names of the alerts on kinds that page by themselves."""

_BY_KIND: Final = "ClaudeErrorKindHigh"
_REMOTE: Final = ("provider", "network")


def groups(spec: Spec, names: Names) -> list[Group]:
    """Alerts on errors."""
    guards, service = spec.guards, spec.service.name
    error = Match(OUTCOME, ("error",))
    calls = names.select(DURATION, ENDED, part="count")

    def failed(*kinds: ErrorKind) -> str:
        return names.select(DURATION, error, Match(ERROR_TYPE, tuple(kind.kind for kind in kinds)), part="count")

    def series(kind: ErrorKind) -> str:
        return names.series(DURATION, {OPERATION: "chat", OUTCOME: "error", ERROR_TYPE: kind.kind}, "count")

    good = names.series(DURATION, {OPERATION: "chat", OUTCOME: "ok"}, "count")
    # What the app broke off counts for nothing.
    broken_off = names.series(DURATION, {OPERATION: "chat", OUTCOME: "cancelled"}, "count")

    alerts: list[Alert] = []
    for kind in KINDS.values():
        if kind.kind in _OWN_ALERT or kind.pages:
            continue
        alerts.append(
            share_alert(
                Share(
                    _BY_KIND,
                    failed(kind),
                    (calls,),
                    simulated(series(kind), good, broken_off),
                    limit=guards.error_kind_share,
                    failures=guards.min_failures,
                    severity="ticket",
                    fault=kind.fault,
                    subject=f"calls end in {kind.kind}",
                    advice=kind.advice,
                    wait=2,
                    labels={"error_kind": kind.kind},
                ),
                service,
            )
        )
    alerts += [
        count_alert(
            Count(
                _ACCOUNT_ALERTS[kind.kind],
                failed(kind),
                series(kind),
                limit=2,
                severity="page",
                fault=kind.fault,
                subject=f"calls ended in {kind.kind}",
                advice=kind.advice,
                labels={"error_kind": kind.kind},
            ),
            service,
        )
        for kind in KINDS.values()
        if kind.pages
    ]
    for fault in _REMOTE:
        kinds = tuple(kind for kind in KINDS.values() if kind.fault == fault)
        alerts.append(
            share_alert(
                Share(
                    "ClaudeApiUnavailable",
                    failed(*kinds),
                    (calls,),
                    simulated(series(kinds[-1]), good, broken_off),
                    limit=guards.unavailable_share,
                    failures=guards.min_failures,
                    severity="page",
                    fault=kinds[0].fault,
                    subject=f"calls fail by the {fault}'s fault",
                    advice="Check status.claude.com, then DNS, egress and proxy; fall back to another model or region.",
                    wait=2,
                ),
                service,
            )
        )
    alerts.append(
        count_alert(
            Count(
                "ClaudePoolExhausted",
                failed(_POOL),
                series(_POOL),
                limit=guards.pool_timeouts,
                severity="page",
                fault=_POOL.fault,
                subject="calls found no free connection",
                advice=f"The API is not at fault. {_POOL.advice}",
                window=5,
            ),
            service,
        )
    )
    alerts.append(
        count_alert(
            Count(
                "ClaudeCircuitOpen",
                failed(_CIRCUIT),
                series(_CIRCUIT),
                limit=2,
                severity="ticket",
                fault=_CIRCUIT.fault,
                subject="calls were held back by the circuit breaker",
                advice=_CIRCUIT.advice,
                window=5,
            ),
            service,
        )
    )
    alerts.append(
        share_alert(
            Share(
                "ClaudeStreamsCut",
                failed(_CUT),
                (calls,),
                simulated(series(_CUT), good, broken_off),
                limit=guards.stream_cut_share,
                failures=guards.min_failures,
                severity="ticket",
                fault=_CUT.fault,
                subject="calls had their stream cut",
                advice=_CUT.advice,
            ),
            service,
        )
    )
    retries = names.series(RETRIES, {OPERATION: "chat", ERROR_TYPE: KINDS["overloaded_error"].kind})
    alerts.append(
        share_alert(
            Share(
                "ClaudeRetryShareHigh",
                names.select(RETRIES),
                (calls, names.select(RETRIES)),
                simulated(retries, good, broken_off),
                limit=guards.retry_share,
                failures=guards.min_failures,
                severity="ticket",
                fault="either",
                subject="attempts had to be repeated",
                advice="Users wait for every retry: the dashboard says why attempts fail.",
                window=10,
            ),
            service,
        )
    )
    counts = [alert for alert in alerts if alert.value == "humanize"]
    by_kind = [alert for alert in alerts if alert.name == _BY_KIND]
    shares = [alert for alert in alerts if alert not in (*counts, *by_kind)]
    return [
        # By whose fault, as promtool evaluates all rules of a file in each of its tests.
        *(
            Group(f"error-kinds-{fault}", tuple(alert for alert in by_kind if alert.fault == fault))
            for fault in dict.fromkeys(alert.fault for alert in by_kind)
        ),
        Group("error-shares", tuple(shares)),
        Group("error-counts", tuple(counts)),
    ]
