"""The model of a `claudescope.yaml`, and the table of burn-rate tiers."""
