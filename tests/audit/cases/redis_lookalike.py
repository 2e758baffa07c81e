"""Redis streams and an ORM that create messages."""
import redis
from models import Message

client = redis.Redis()


def push(text):
    Message.objects.create(text=text)
    return client.messages.create(model="claude-haiku-5-5") if hasattr(client, "messages") else client.xadd("messages", {"t": text})
