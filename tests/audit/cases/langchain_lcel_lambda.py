"""A chain out of lambdas and parallel branches."""
from anthropic import APIError
from langchain_anthropic import ChatAnthropic
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import RunnableLambda, RunnableParallel, RunnablePassthrough

model = ChatAnthropic(model="claude-haiku-5-5", timeout=20)
chain = {"q": RunnablePassthrough()} | RunnableLambda(lambda d: d["q"]) | model | StrOutputParser()
both = RunnableParallel(a=chain, b=model)


async def ask(q):
    try:
        async for part in chain.astream(q):  # @ langchain specific
            print(part)
        return await both.ainvoke(q)  # @ langchain specific
    except APIError as error:
        raise RuntimeError("no answer") from error
