"""A My Number card made of Python, and the reader it lies on. Never shipped; the product never imports it."""
