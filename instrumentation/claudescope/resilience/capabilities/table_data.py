"""What Claude's models can do. Generated: do not edit.

Written by `python -m claudescope.resilience.capabilities.generate_table` from the SDK (names, ends of life),
genai-prices (windows) and `published.py` (the rest, with its sources).
"""

from typing import Final

MODELS: Final = r"""
["claude-fable-5",1000000,128000,["adaptive"],["low","medium","high","xhigh","max"],["prefill","sampling","fast"],null]
["claude-fable-5-1",1000000,128000,["adaptive"],["low","medium","high","xhigh","max"],["prefill","sampling","fast","forced_tools"],null]
["claude-fable-5-2",1000000,128000,["adaptive"],["low","medium","high","xhigh","max"],["prefill","sampling","forced_tools"],null]
["claude-haiku-4-5",200000,64000,["disabled","enabled"],[],["fast","system_messages"],null]
["claude-haiku-5-5",1000000,128000,["adaptive","disabled"],["low","medium","high","xhigh","max"],["prefill","sampling","fast"],null]
["claude-mythos-5",1000000,128000,["adaptive"],["low","medium","high","xhigh","max"],["prefill","sampling","fast"],null]
["claude-mythos-5-1",1000000,128000,["adaptive"],["low","medium","high","xhigh","max"],["prefill","sampling","fast","forced_tools"],null]
["claude-mythos-5-2",1000000,128000,["adaptive"],["low","medium","high","xhigh","max"],["prefill","sampling","forced_tools"],null]
["claude-mythos-preview",1000000,128000,["adaptive"],["low","medium","high","xhigh","max"],["prefill","sampling","fast","system_messages"],"2026-06-30"]
["claude-opus-4-5",200000,64000,["disabled","enabled"],["low","medium","high"],["fast","system_messages"],"2027-01-22"]
["claude-opus-4-6",1000000,128000,["adaptive","disabled","enabled"],["low","medium","high","max"],["prefill","system_messages"],null]
["claude-opus-4-7",1000000,128000,["adaptive","disabled"],["low","medium","high","xhigh","max"],["prefill","sampling","system_messages"],null]
["claude-opus-4-8",1000000,128000,["adaptive","disabled"],["low","medium","high","xhigh","max"],["prefill","sampling"],null]
["claude-opus-5",1000000,128000,["adaptive","disabled"],["low","medium","high","xhigh","max"],["prefill","sampling"],null]
["claude-opus-5-5",1000000,128000,["adaptive"],["low","medium","high","xhigh","max"],["prefill","sampling","forced_tools"],null]
["claude-sonnet-4-5",200000,64000,["disabled","enabled"],[],["fast","system_messages"],"2026-11-30"]
["claude-sonnet-4-6",1000000,128000,["adaptive","disabled","enabled"],["low","medium","high","max"],["prefill","fast","system_messages"],null]
["claude-sonnet-5",1000000,128000,["adaptive","disabled"],["low","medium","high","xhigh","max"],["prefill","sampling","fast","system_messages"],null]
["claude-sonnet-5-5",1000000,128000,["adaptive","between_tools"],["low","medium","high","xhigh","max"],["prefill","sampling","fast","forced_tools"],null]
"""
"""A model on each line, as JSON: name, longest input, longest output, types of thinking, efforts, refusals, its end."""
