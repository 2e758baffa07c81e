"""What belongs on Sentry's side, made from the one classification: fingerprint rules and alerts. Needs no Sentry SDK.

fingerprints   rules that put failed calls together on the server, for clients with and without claudescope
thresholds     when a kind of failure alerts, and how loudly
terraform      the alerts as `sentry_alert` resources
payloads       the same alerts as bodies of Sentry's API
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from claudescope.sentry.as_code.fingerprints import fingerprint_rules
from claudescope.sentry.as_code.payloads import alert_payloads
from claudescope.sentry.as_code.terraform import alert_resources

__all__ = ["build"]


def build(group_by: Sequence[str] = ()) -> Mapping[str, str]:
    """Everything that `claudescope sentry build` writes.

    Args:
        group_by: What splits the issue of a kind, as in the integration's `Options`: `model`, `workflow` or both.

    Returns:
        Texts by file name. The same every time.
    """
    return {
        "fingerprint_rules.txt": fingerprint_rules(group_by),
        "alerts.tf": alert_resources(),
        "alert_payloads.json": alert_payloads(),
    }
