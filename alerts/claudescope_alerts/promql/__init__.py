"""PromQL selectors and the series that exist, written from the catalogue."""
