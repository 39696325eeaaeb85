"""The store gateway: one box that numbers, counts, prints and keeps in step, online or not.

`gateway.app.running` puts the parts together; `gateway.ledger` decides; `docs/architecture.md` walks the rooms.
"""
