"""Websocket: the error goes to the user."""
import anthropic
from fastapi import FastAPI, WebSocket

app = FastAPI()
client = anthropic.AsyncAnthropic(timeout=15)


@app.websocket("/ws")
async def chat(ws: WebSocket):
    await ws.accept()
    while True:
        text = await ws.receive_text()
        try:
            async with client.messages.stream(model="claude-haiku-5-5", max_tokens=9, messages=[{"role": "user", "content": text}]) as stream:  # @ sdk-async specific ! error-shown-to-user
                async for part in stream.text_stream:
                    await ws.send_text(part)
        except anthropic.APIError as err:
            await ws.send_json({"type": "error", "message": str(err)})
