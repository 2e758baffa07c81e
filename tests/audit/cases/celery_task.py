"""Celery: autoretry for everything, a summary into the database."""
import anthropic
from celery import Celery

from models import Article

app = Celery("news")
client = anthropic.Anthropic(timeout=60)


@app.task(autoretry_for=(Exception,), retry_backoff=True, max_retries=5)
def summarise(article_id):
    article = Article.objects.get(pk=article_id)
    reply = client.messages.create(model="claude-haiku-5-5", max_tokens=200, messages=[{"role": "user", "content": article.text}])  # @ sdk-sync by-decorator ! retry-non-retryable stop-reason-ignored ? unhandled-call nested-retries broad-except
    article.summary = reply.content[0].text
    article.save()
