"""llama-index: the global model and an engine."""
from anthropic import APIError
from llama_index.core import Settings, SimpleDirectoryReader, VectorStoreIndex
from llama_index.llms.anthropic import Anthropic

Settings.llm = Anthropic(model="claude-sonnet-5-5", timeout=30)
index = VectorStoreIndex.from_documents(SimpleDirectoryReader("docs").load_data())
engine = index.as_query_engine(llm=Settings.llm)


def ask(question):
    try:
        print(Settings.llm.complete(question))  # @ llama-index specific
        return engine.query(question)  # @ llama-index specific
    except APIError as error:
        raise RuntimeError("no answer") from error
