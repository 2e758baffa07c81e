"""A key in a comment."""
OLD = None  # old: sk-ant-api03-Pw9Xm3Kt7LzQr5VcB1nHd6YfGs2JaUe4 # ! hard-coded-key
KEY = None
