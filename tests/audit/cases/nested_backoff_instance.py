"""backoff on a method; the client comes from outside."""
import anthropic
import backoff


class Critic:
    def __init__(self, api_key: str):
        self.client = anthropic.Anthropic(api_key=api_key, timeout=40)

    @backoff.on_exception(backoff.expo, anthropic.RateLimitError, max_time=120)
    def judge(self, text: str) -> str:
        reply = self.client.messages.create(model="claude-sonnet-5-5", max_tokens=99, messages=[{"role": "user", "content": text}])  # @ sdk-sync by-decorator ! nested-retries ? unhandled-call ignores-retry-after
        return reply.content[0].text
