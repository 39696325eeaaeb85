"""The store's tills: how they find the gateway, are paired with it, prove who they are, and are turned away again.

Promises: a token, a password and a pairing code exist in clear only in the answer that hands them out; a revoked till
is refused from the next request on, with or without head office; a pairing code lets in one till. Nothing here touches
the books, and mDNS is a hint: it says that something came, never that it is gone, and nothing is trusted because of it.
"""
