"""Acts that promise to be durable when they return, for whoever interrupts them: a kill or a power cut.

``act`` says what an act is, ``acts`` lists all of them. A new one is a class with ``run`` and, if it promises more than
entries, ``check``.
"""
