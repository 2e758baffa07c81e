"""A thread's worker that passes."""
import queue

from langchain_anthropic import ChatAnthropic

jobs = queue.Queue()
llm = ChatAnthropic(model_name="claude-haiku-5-5", timeout=20)


def work():
    while True:
        job = jobs.get()
        try:
            job.answer = llm.invoke(job.prompt)  # @ langchain swallowed|bare-or-broad ! swallowed-error ? broad-except stop-reason-ignored
        except Exception:
            pass
        finally:
            jobs.task_done()
