"""Rule tests: input series and the minutes at which an alert must fire or be silent. promtool runs them."""
