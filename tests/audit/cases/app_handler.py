"""FastAPI: one handler of errors for all."""
import anthropic
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

app = FastAPI()
client = anthropic.AsyncAnthropic(timeout=20)


@app.exception_handler(anthropic.APIError)
async def on_error(request: Request, error: anthropic.APIError):
    return JSONResponse({"message": "Please try again."}, status_code=503)


@app.post("/a")
async def a(text: str):
    reply = await client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[{"role": "user", "content": text}])  # @ sdk-async by-caller
    return reply.content[0].text
