"""Grafana dashboards as code, built over the catalogue of `claudescope.schema.catalogue`."""
