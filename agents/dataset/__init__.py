"""A dataset: what a phase admits, in files to train on and to publish, made again at will.

`recipe` says what is made and from how much of the log, `chosen` which rows, `checks` what no row
may hold, `files`, `card` and `folder` how it is written; `verify` and `diff` read it again.
"""
