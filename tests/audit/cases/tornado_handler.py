"""Tornado: write_error is the framework's; the handler shows nothing."""
import anthropic
import tornado.web

client = anthropic.AsyncAnthropic(timeout=20)


class Ask(tornado.web.RequestHandler):
    async def post(self):
        try:
            reply = await client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=self.get_argument("q"))  # @ sdk-async specific ! error-shown-to-user
        except anthropic.APIError as error:
            self.set_status(503)
            self.write({"error": str(error)})
            return
        self.write({"answer": reply.content[0].text})
