"""Fakes of tests that have the SDK's shape."""


class FakeMessages:
    def create(self, **kwargs):
        return kwargs

    def stream(self, **kwargs):
        yield kwargs


class FakeAnthropic:
    messages = FakeMessages()


def anthropic_client():
    return FakeAnthropic()


client = anthropic_client()
client.messages.create(model="claude-2.1")
for part in client.messages.stream(model="claude-instant-1"):
    print(part)
