"""LangChain with another provider: no Claude."""
from langchain.chat_models import init_chat_model
from langchain_openai import ChatOpenAI

llm = ChatOpenAI(model="gpt-6")
other = init_chat_model("gpt-6", model_provider="openai")


def ask(text):
    return llm.invoke(text).content + other.invoke(text).content
