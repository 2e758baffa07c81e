"""Error-budget alert rules, their tests and their routes as code, built over `claudescope.schema.catalogue`."""
