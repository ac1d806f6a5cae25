"""Small applications that log to Cordwood over HTTP, as an application of your own would: `cordwood up --demo`.

A web shop with a payment provider that fails now and then, its app on phones, of which some are offline and tell later,
a batch worker, and a flock of sensors. Together they say 30 to 60 things a second, with a surge every few minutes. Each
is one file; `sender.py` is what to copy first.
"""

from .demo import run_demo

__all__ = ["run_demo"]
