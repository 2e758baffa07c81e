"""An aiohttp view class and asyncio.timeout."""
import asyncio
import logging
import anthropic
from aiohttp import web

client = anthropic.AsyncAnthropic()


class Ask(web.View):
    async def post(self):
        text = await self.request.text()
        try:
            async with asyncio.timeout(15):
                reply = await client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[{"role": "user", "content": text}])  # @ sdk-async specific
        except (anthropic.APIError, TimeoutError) as error:
            logging.error("ask: %r", error)
            raise web.HTTPServiceUnavailable(text="later")
        return web.Response(text=reply.content[0].text)
