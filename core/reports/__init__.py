"""Reports: dashboards written down by the clock, with what changed in words, kept and sent."""
