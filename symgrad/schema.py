"""The version of the JSON documents that reports, derivations and the command line print.

Contract: within a version, keys are added and never renamed.
"""

SCHEMA = "symgrad/1"
