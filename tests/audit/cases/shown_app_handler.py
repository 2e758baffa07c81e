"""The app's handler shows it."""
import anthropic
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

app = FastAPI()
client = anthropic.AsyncAnthropic(timeout=20)


@app.exception_handler(anthropic.APIStatusError)
async def refused(request: Request, exc: anthropic.APIStatusError):
    return JSONResponse(status_code=exc.status_code, content={"error": exc.message})


@app.post("/ask")
async def ask(body: dict):
    return await client.messages.create(model="claude-haiku-5-5", max_tokens=5, messages=body["messages"])  # @ sdk-async by-caller ! error-shown-to-user ? unhandled-call
