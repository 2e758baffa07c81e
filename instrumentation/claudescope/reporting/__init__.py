"""The report of the calls of a process: the sink that collects it, its data model, and the tables that print it."""
