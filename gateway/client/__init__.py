"""A small typed client for till makers: the till API with its retry rule, and nothing else.

It promises: a request is repeated under the same id until there is an answer or patience ends, never under a new one;
what the gateway refuses is raised as `Problem`; an answer's fields that this release does not know are passed through.
It never decides anything, keeps no file, and reads no clock but the one it is given.
"""
