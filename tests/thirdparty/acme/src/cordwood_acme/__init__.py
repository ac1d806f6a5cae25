"""Plugins of a third party: they know Cordwood by `cordwood.plugins` alone."""
