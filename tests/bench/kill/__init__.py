"""What is left of each act when its process is killed in the middle. See ``scripts/bench/kill --help``."""
