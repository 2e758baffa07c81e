"""A pattern that redacts keys."""
import re

KEYS = re.compile(r"sk-ant-[a-z]+\d{2}-[A-Za-z0-9_-]{20,}")
PREFIX = "sk-ant-api03-"


def redact(text):
    return KEYS.sub("sk-ant-api03-REDACTED", text)
