"""What a `claudescope.yaml` may say, and the table of burn-rate tiers."""
