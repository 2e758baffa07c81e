"""Generated promtool unit tests of the rules."""
