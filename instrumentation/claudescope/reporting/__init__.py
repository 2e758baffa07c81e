"""The report of the calls of a process: the sink that gathers it, its data model, and the table that prints it."""
