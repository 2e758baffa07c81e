"""Stripe's and OpenAI's create, and a client of our own."""
import openai
import stripe
from twilio.rest import Client

client = openai.OpenAI()
sms = Client()


class Claude:
    """A cat."""

    def __init__(self):
        self.messages = []

    def create(self, name):
        self.messages.append(name)


def run():
    client.chat.completions.create(model="gpt-5", messages=[])
    client.responses.create(model="gpt-5", input="hi")
    client.beta.threads.messages.create(thread_id="t", role="user", content="x")
    stripe.PaymentIntent.create(amount=1, currency="eur")
    sms.messages.create(to="1", from_="2", body="x")
    sms.messages.list(limit=20)
    Claude().create("Tom")
