"""Carries out what the engine decides: sends attempts through the SDK, waits, and watches streams.

hooks      installs on the SDK's methods, beneath the probe
session    one protected call: what sync and async drivers share
sync       drives a call on this thread
is_async   drives a call in a task, on asyncio and trio
streams    watches a protected stream, and starts it again before its first content
facts      reads what the engine wants to know of a request and of a response
"""
