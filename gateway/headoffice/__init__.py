"""The reference head office: takes in the histories of many stores, hands out ranges and catalogues.

Promises that what it acknowledged is on disk, that it holds a gapless prefix of each store's journal with every hash
rebuilt and compared, nothing twice, and that a store whose history differs is told so and never overwrites anything.
It knows stores by what they send: the ledger's words, the chunk and the wire protocol, never a store's own files.
Every key in its tables starts with the store, so that the tables can be spread over many machines by store.
"""
