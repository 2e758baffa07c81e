"""aiohttp.web: the SDK's client of the app."""
import anthropic
from aiohttp import web


async def on_startup(app):
    app["claude"] = anthropic.AsyncAnthropic()


async def ask(request: web.Request) -> web.Response:
    client: anthropic.AsyncAnthropic = request.app["claude"]
    try:
        reply = await client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=(await request.json())["messages"])  # @ sdk-async specific ! no-timeout
    except anthropic.APIError:
        return web.json_response({"error": "unavailable"}, status=503)
    return web.json_response({"answer": reply.content[0].text})


app = web.Application()
app.on_startup.append(on_startup)
app.add_routes([web.post("/ask", ask)])
