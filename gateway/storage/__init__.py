"""The only SQL of the store: one file, one writer thread, read-only readers.

Promises I3 (durable before visible) and I5 (one writer, fenced). Never decides anything: `ledger` does.
One connection alone writes *and* checkpoints, because SQLite before 3.51.3 can corrupt a WAL that two connections
write or checkpoint at once (sqlite.org/wal.html, section "walresetbug"; Debian 12 ships 3.40.1).
"""
