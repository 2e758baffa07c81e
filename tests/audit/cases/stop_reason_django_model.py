"""Django: saved on a record."""
import logging

import anthropic
from django.db import models

log = logging.getLogger(__name__)
client = anthropic.Anthropic(timeout=60)


class Article(models.Model):
    body = models.TextField()
    summary = models.TextField(null=True)

    def summarise(self):
        try:
            reply = client.messages.create(model="claude-haiku-5-5", max_tokens=200, messages=[{"role": "user", "content": self.body}])  # @ sdk-sync specific ! stop-reason-ignored
        except anthropic.APIError as error:
            log.error("no summary: %s", error)
            return
        self.summary = reply.content[0].text
        self.save(update_fields=["summary"])
