"""Madoguchi: the box in a school that knows who is at the window, and keeps the record.

The map, in the order in which one tap of a card travels:

- ``card``     the reader and the card; knows nothing of records.
- ``trust``    decisions on X.509 certificates, without any I/O.
- ``school``   people, links, statements and rules of a school, without any I/O.
- ``ledger``   entries, the RFC 9162 tree, signed checkpoints and receipts, without any I/O.
- ``store``    the encrypted database: the only place that keeps anything.
- ``services`` what the box does, one class for each use.
- ``sync``     the ledgers of box and hub mirror each other over MQTT.
- ``web``      what the two sites share.
- ``programs`` one folder for each process; each wires the packages above together.

``errors``, ``clock``, ``config``, ``log``, ``notify`` and ``throttle`` are the ground that all stand on.
``tests/test_architecture.py`` says who may import whom.
"""

__version__ = "0.1.0"
