"""A disk that breaks under running programs and comes back: ``broken_disk.c`` says how, ``layer`` commands it.

A real device that does this needs device mapper (``dm-error``, ``dm-flakey``), which few machines give to a test.
"""
