"""Generates fingerprint rules and alerts for Sentry's server from the table of error types. Needs no Sentry SDK.

fingerprints   rules that group failed calls on the server, for clients with and without claudescope
thresholds     when an error type alerts, and with which severity
terraform      the alerts as `sentry_alert` resources
payloads       the alerts as request bodies of Sentry's API
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from claudescope.sentry.as_code.fingerprints import fingerprint_rules
from claudescope.sentry.as_code.payloads import alert_payloads
from claudescope.sentry.as_code.terraform import alert_resources

__all__ = ["build"]


def build(group_by: Sequence[str] = ()) -> Mapping[str, str]:
    """Generate everything that `claudescope sentry build` writes.

    Args:
        group_by: What splits the issue of an error type, as in `Options`: any of `model`, `workflow` and `target`.

    Returns:
        Texts by file name. Deterministic.
    """
    return {
        "fingerprint_rules.txt": fingerprint_rules(group_by),
        "alerts.tf": alert_resources(),
        "alert_payloads.json": alert_payloads(),
    }
