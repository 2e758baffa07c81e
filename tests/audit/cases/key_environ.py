"""A key that is put into the environment."""
import os

os.environ["ANTHROPIC_API_KEY"] = "sk-ant-api03-Bw4Rk8Zt2LmXq7VcN5yHd9PfGs3JaUe6-AAAA"  # ! hard-coded-key
