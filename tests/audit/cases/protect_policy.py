"""A policy of claudescope."""
import anthropic
import claudescope

client = anthropic.Anthropic(timeout=20)


def ask(prompt):
    with claudescope.policy(max_retries=3):
        return client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=prompt)  # @ sdk-sync by-policy
