"""What is left of each act when the power goes in the middle. See ``scripts/bench/powercut --help``."""
