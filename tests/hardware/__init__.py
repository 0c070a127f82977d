"""Real readers and real cards, opt-in: ``scripts/test --reader NAME``; ``docs/first-card.md`` is for whoever has one.

Without ``--reader`` the tests of ``test_real_card`` are deselected and the ones beside them, which need no hardware,
run as any other. ``test_virtual`` runs the former against the virtual reader.
"""
