"""Power cuts: what a program did to its files is written down, and every state that a disk could be left in is made.

``recorder`` runs a program with ``file_log.c`` preloaded, ``log`` reads what that wrote down, ``disk`` plays it on a
disk that may forget whatever was not synced, and leaves behind what the power cut left.
"""
