"""What claudescope costs, measured beside the others and beside what can't be avoided.

stub        the API, inside the client's transport: no network, no server
scenarios   what is done with the SDK
subjects    who watches it: claudescope, the floor, the peers, each with its pinned packages
worker      one process that measures one subject
overhead    all subjects in interleaved rounds, and the tables of docs/performance.md
scale       many threads, many streams, a large scrape
fleet       boards and rules on a day of a whole fleet in a real Prometheus
guard       instruction counts, which don't depend on what else the machine does
"""
