"""Metrics, labels, attributes, records and error types, declared once for sinks, dashboards and alerts.

Nothing here imports OpenTelemetry, the `anthropic` SDK, or another part of claudescope but `_internal`.
"""
