"""LangChain, in a field of a class."""
from langchain_anthropic import ChatAnthropic


class Chain:
    MODEL = "claude-instant-1.2"

    def __init__(self):
        self.llm = ChatAnthropic(model=self.MODEL, timeout=20)

    def ask(self, text):
        try:
            return self.llm.invoke(text)  # @ langchain bare-or-broad ! retired-model ? broad-except
        except Exception:
            raise
