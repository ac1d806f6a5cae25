"""Made for another major version of the API."""

CORDWOOD_API = "2.0"
