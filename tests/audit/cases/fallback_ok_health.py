"""A health probe says no."""
import anthropic

client = anthropic.Anthropic(timeout=3, max_retries=0)


def claude_is_healthy() -> bool:
    try:
        client.models.list(limit=1)  # @ sdk-sync specific
    except anthropic.APIError:
        return False
    return True
