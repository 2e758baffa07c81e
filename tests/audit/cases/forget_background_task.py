"""FastAPI's background tasks."""
import anthropic
from fastapi import BackgroundTasks, FastAPI

app = FastAPI()
client = anthropic.AsyncAnthropic(timeout=60)


async def index(document: str):
    reply = await client.messages.create(model="claude-haiku-5-5", max_tokens=200, messages=[{"role": "user", "content": document}])  # @ sdk-async none ! fire-and-forget unhandled-call
    print(reply.usage)


@app.post("/documents", status_code=202)
async def add(document: str, tasks: BackgroundTasks):
    tasks.add_task(index, document)
    return {}
