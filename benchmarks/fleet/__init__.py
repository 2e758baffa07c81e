"""Measures dashboards and rules on a Prometheus with a day of data of a fleet.

app           makes the series of one instance with the real sink and exporter
remote_write  writes a day of the series of many instances to the remote-write receiver of Prometheus
recorded      replaces recorded series by their raw expressions, and writes their past
store         runs the Prometheus
timing        measures panels and rule groups
__main__      measures 10, 100 and 1,000 instances, and writes the tables of docs/performance.md
"""
