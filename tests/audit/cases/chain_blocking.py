"""FastAPI and LangChain: .invoke in an async endpoint."""
from fastapi import FastAPI, HTTPException
from langchain.chat_models import init_chat_model
import anthropic

app = FastAPI()
model = init_chat_model("anthropic:claude-sonnet-5-5", timeout=30)


@app.post("/ask")
async def ask(question: str):
    try:
        reply = model.invoke(question)  # @ langchain specific ! blocking-call-in-async
    except anthropic.APIError:
        raise HTTPException(503, "Please try again.")
    return {"answer": reply.content}
