"""A node of LangGraph that is async, and blocks."""
from typing import TypedDict

from langchain_anthropic import ChatAnthropic
from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    question: str
    answer: str


model = ChatAnthropic(model="claude-sonnet-5-5", timeout=30)


async def answer(state: State):
    reply = model.invoke(state["question"])  # @ langchain none ! blocking-call-in-async unhandled-call
    return {"answer": reply.content}


graph = StateGraph(State)
graph.add_node("answer", answer)
graph.add_edge(START, "answer")
graph.add_edge("answer", END)
app = graph.compile()
