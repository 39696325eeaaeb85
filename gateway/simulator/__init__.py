"""A store in a box: tills that sell real baskets, a printer, a bad line, and a judge of what the tills were told.

It knows the gateway only as outsiders do: over its API, its commands and its wire protocols.
"""
