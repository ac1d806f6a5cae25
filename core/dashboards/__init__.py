"""Dashboards: panels that are queries, on a grid, with a time range and variables that all of them share."""
