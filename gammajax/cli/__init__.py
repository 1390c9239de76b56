"""The command line, ``gammajax``."""
