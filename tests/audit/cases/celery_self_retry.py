"""Celery: self.retry for rate limits; the SDK does not retry."""
import anthropic
from celery import shared_task

client = anthropic.Anthropic(max_retries=0, timeout=60)


@shared_task(bind=True, max_retries=5)
def translate(self, text):
    try:
        reply = client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[{"role": "user", "content": text}])  # @ sdk-sync specific
    except (anthropic.RateLimitError, anthropic.InternalServerError, anthropic.APIConnectionError) as exc:
        raise self.retry(exc=exc, countdown=2**self.request.retries)
    return reply.content[0].text
