"""A worker loop catches everything."""
import logging
import queue
import anthropic

client = anthropic.Anthropic()
jobs = queue.Queue()


class Worker:
    def __init__(self):
        self.client = client

    def handle(self, job):
        return self.client.messages.create(model="claude-haiku-5-5", max_tokens=9, messages=job)  # @ sdk-sync by-caller ! broad-except ? no-timeout

    def run(self):
        while True:
            job = jobs.get()
            try:
                self.handle(job)
            except Exception:
                logging.exception("job failed")


Worker().run()
