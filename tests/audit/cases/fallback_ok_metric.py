"""A default, with a metric."""
import anthropic
from prometheus_client import Counter

client = anthropic.Anthropic(timeout=10)
FAILED = Counter("mood_failed_total", "Moods that were not judged", ["kind"])


def mood(text):
    try:
        return client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=text).content[0].text  # @ sdk-sync specific
    except anthropic.APIError as error:
        FAILED.labels(type(error).__name__).inc()
        return "neutral"
