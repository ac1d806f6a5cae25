"""Nothing here works."""
