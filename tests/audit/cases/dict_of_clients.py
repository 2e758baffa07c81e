"""Clients in a table, and picked at random."""
import random

import anthropic

POOL = [anthropic.Anthropic(api_key=k, timeout=5) for k in ("a", "b")]
BY_TEAM = {}
BY_TEAM["x"] = anthropic.Anthropic(timeout=5)


def ask(team, prompt):
    client = BY_TEAM.get(team) or random.choice(POOL)
    return client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=prompt)  # @ sdk-sync none ! unhandled-call
