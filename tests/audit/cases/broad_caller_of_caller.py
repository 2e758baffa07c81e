"""The broad handler stands two callers up."""
import logging

import anthropic

log = logging.getLogger("bot")


class Bot:
    def __init__(self, client: anthropic.Anthropic):
        self.client = client

    def _complete(self, prompt):
        return self.client.messages.create(model="claude-haiku-5-5", max_tokens=50, messages=prompt)  # @ sdk-sync by-caller ! broad-except ? no-timeout

    def reply(self, text):
        return self._complete([{"role": "user", "content": text}]).content[0].text


def loop(bot: Bot, inbox):
    for text in inbox:
        try:
            bot.reply(text)
        except Exception:
            log.exception("no reply")
