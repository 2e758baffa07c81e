"""The places that a call can be sent to, and the SDK's clients that send there.

clients    makes a client for a target, and keeps it
places     says which target the app's own client is, and turns a request to it into one to another
"""
