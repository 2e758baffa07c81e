"""OpenTelemetry observability for the Claude API."""
