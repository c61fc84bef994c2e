"""Set up, start, stop, test and back up one checkout of the platform.

Standard library only: this package runs before any virtual environment exists. The Makefile is its front door
and `python -m deploy --help` lists its commands.
"""
