"""A default of getenv, and a header."""
import os

KEY = os.getenv("CLAUDE_KEY", "sk-ant-api03-Tz6Ym1Rk4LwXc9VbQ2nHd7PfGs5JaUe8")  # ! hard-coded-key
ADMIN = {"x-api-key": "sk-ant-admin01-Jp3Vx7Qw1ZkRt5LmC9bNh2DsGf8YaUe4"}  # ! hard-coded-key
