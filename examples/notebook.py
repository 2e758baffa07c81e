# %% [markdown]
# What do three questions cost? Cells as Jupyter and editors know them; also a script.
# ruff: noqa: D100 - a notebook's first cell is its introduction

# %%
import anthropic

import claudescope

claudescope.instrument()
claude = anthropic.Anthropic()

# %%
questions = ["Why is the sky blue?", "Why is the sea salty?", "Why do cats purr?"]
for question in questions:
    with claudescope.workflow("notebook"):
        message = claude.messages.create(
            model="claude-opus-5-5", max_tokens=200, messages=[{"role": "user", "content": question}]
        )
    print(question, "->", message.usage.output_tokens, "tokens")

# %%
claudescope.report().print()
