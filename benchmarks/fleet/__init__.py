"""What the boards and the rules cost a Prometheus that has a day of a whole fleet in it.

app           the series of one instance, as the real sink and exporter give them
remote_write  a day of those of many instances, each growing in its own way, for Prometheus' remote-write receiver
recorded      the raw expression behind a recorded series, and its past
store         a Prometheus that has all of it
timing        how long panels and rule groups take
__main__      the run for 10, 100 and 1,000 instances, and the tables of docs/performance.md
"""
