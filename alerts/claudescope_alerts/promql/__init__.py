"""PromQL from the catalogue: selectors, numbers, and the series that a query may name."""
