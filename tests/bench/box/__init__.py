"""A box that has been without a line for very long: how fast it is usable, and what its backlog costs."""
