"""What the app side and the operations side agree on: metrics, labels, records and error types, declared once.

Nothing here imports another part of claudescope, OpenTelemetry's SDK, or the `anthropic` SDK.
"""
