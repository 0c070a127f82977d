"""Benchmarks: each measures one thing against a reference in the same run. ``scripts/bench/`` starts them."""
