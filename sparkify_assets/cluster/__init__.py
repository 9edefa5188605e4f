"""Machines elsewhere: what travels to them, how they are asked for, and whether they fit.

Everything that only a cluster needs: an engine in this process or on this machine needs none of it.
"""
