"""OpenAI's client and a class with messages."""
from openai import OpenAI

client = OpenAI()


def ask(text):
    thread = client.beta.threads.create()
    client.beta.threads.messages.create(thread_id=thread.id, role="user", content=text)
    return client.chat.completions.create(model="gpt-6", messages=[])
