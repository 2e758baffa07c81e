"""Benchmarks of claudescope, compared with other libraries and with the unavoidable minimum (the floor).

stub        a fake API inside the client's transport, without network or server
scenarios   ways to call the SDK
subjects    ways to instrument the SDK: claudescope, the floor and other libraries, each with pinned packages
worker      a process that measures one subject
overhead    measures all subjects in interleaved rounds, and writes tables to docs/performance.md
scale       measures many threads, many streams and a large scrape
fleet       measures dashboards and rules on a day of a fleet in a real Prometheus
guard       counts instructions, which do not depend on the load of the machine
"""
