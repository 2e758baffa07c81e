"""Grafana dashboards as code, built over the catalogue of `claudescope.catalogue`."""
