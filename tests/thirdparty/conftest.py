"""The packages here have their own tests, which run where the packages are installed."""

collect_ignore = ["acme", "broken"]
