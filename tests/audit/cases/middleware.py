"""aiohttp: a middleware catches."""
import logging
import anthropic
from aiohttp import web

log = logging.getLogger("shop")
client = anthropic.AsyncAnthropic(timeout=10)


@web.middleware
async def errors(request, handler):
    try:
        return await handler(request)
    except anthropic.APIError as error:
        log.error("claude: %s", error)
        return web.json_response({"error": "later"}, status=503)


async def ask(request):
    body = await request.text()
    reply = await client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[{"role": "user", "content": body}])  # @ sdk-async by-caller
    return web.Response(text=reply.content[0].text)


app = web.Application(middlewares=[errors])
app.add_routes([web.post("/ask", ask)])
