"""Decisions on certificates and signatures of cards, without any I/O. Start with ``chain``."""
