"""llama-index through Settings and a query engine."""
from llama_index.core import Settings, SimpleDirectoryReader, VectorStoreIndex
from llama_index.llms.anthropic import Anthropic

llm = Anthropic(model="claude-3-7-sonnet-20250219")
engine = VectorStoreIndex.from_documents(SimpleDirectoryReader("d").load_data()).as_query_engine(llm=llm)


def direct(text):
    return llm.chat([text])  # @ llama-index none ! unhandled-call retired-model


def ask(text):
    return engine.query(text)  # @ llama-index none ! unhandled-call retired-model
