"""A static scan of Python source for calls to the Claude API, and for how their errors are handled.

Nothing of the scanned project is imported or run. `engine.analyse` takes source text and returns a `Report`.
"""
