"""Celery repeats the task for any exception."""
import anthropic
from celery import shared_task

client = anthropic.Anthropic(timeout=60)


@shared_task(autoretry_for=(Exception,), retry_backoff=True, max_retries=5)
def tag(document_id):
    document = load(document_id)
    answer = client.messages.create(model="claude-haiku-5-5", max_tokens=30, messages=[{"role": "user", "content": document}])  # @ sdk-sync by-decorator ! retry-non-retryable ? unhandled-call nested-retries stop-reason-ignored
    return answer.content[0].text


def load(document_id):
    return f"document {document_id}"
