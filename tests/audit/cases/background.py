"""FastAPI: a background task."""
import anthropic
from fastapi import BackgroundTasks, FastAPI

app = FastAPI()
client = anthropic.Anthropic(timeout=30)


def classify(text):
    client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=[{"role": "user", "content": text}])  # @ sdk-sync none ! fire-and-forget unhandled-call


@app.post("/in")
async def post(text: str, background: BackgroundTasks):
    background.add_task(classify, text)
    return {"ok": True}
