"""Reviewing: what waits for a person, what a person says of it, and how far scorers agree.

`queue` finds and orders, `saying` writes, `sheet` goes by file, `agreement` compares. Nothing here
knows a terminal.
"""
