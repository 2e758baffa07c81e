"""Our own streaming class with the same methods."""


class Messages:
    def stream(self, **kwargs):
        return iter(())

    def create(self, **kwargs):
        return kwargs


class Client:
    def __init__(self):
        self.messages = Messages()


client = Client()
for _ in client.messages.stream(model="claude-2"):
    break
print(client.messages.create(stream=True))
