"""Built-in places for segments' bytes: one module each, named after its `type:`."""
