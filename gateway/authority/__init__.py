"""The only writer of the books: every number of the store comes out of one desk (I1-I8).

Promises that an answer is given only for what is durable, and the same answer to the same request for ever.
"""
