"""`claudescope run`: instruments a command without changes to its code.

    launch.py      in the process that the user started: starts the collector, then executes the command (`exec`)
    bootstrap/     in every Python process of the command: starts claudescope when the SDK is imported
    child.py       in every process that imports the SDK: instruments it, and attaches the reporter
    reporter.py    in every process that makes calls: sends each call to the collector
    collector.py   a separate process: sums up all calls, serves `/metrics`, prints the report at the end
    protocol.py    the messages between reporters and collector

The command runs in the process that the user started, with the same id, parent, terminal and process group. So its exit
code, signals, input and output are those of the command itself.
"""
