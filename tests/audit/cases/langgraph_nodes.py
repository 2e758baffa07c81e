"""Nodes of a graph: the caller invokes the graph."""
import logging
from typing import Annotated, TypedDict

from anthropic import APIError
from langchain.chat_models import init_chat_model
from langgraph.graph import StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode, create_react_agent

llm = init_chat_model("anthropic:claude-sonnet-5-5", timeout=30)


def search(q: str) -> str:
    """Search."""
    return q


tools = [search]
with_tools = llm.bind_tools(tools)


class State(TypedDict):
    messages: Annotated[list, add_messages]


def chatbot(state: State):
    return {"messages": [with_tools.invoke(state["messages"])]}  # @ langchain by-caller


builder = StateGraph(State)
builder.add_node("chatbot", chatbot)
builder.add_node("tools", ToolNode(tools))
graph = builder.compile()
agent = create_react_agent(llm, tools)


def run(text):
    try:
        return graph.invoke({"messages": [("user", text)]})
    except APIError:
        logging.exception("graph failed")
        raise


def run_agent(text):
    try:
        return agent.invoke({"messages": [("user", text)]})  # @ langchain specific
    except APIError:
        logging.exception("agent failed")
        raise
