"""The device bus: jobs for printers and drawers, over MQTT and HTTP, on one table.

Promises: a job is durable before anybody hears `accepted`; the same id prints once however often it is sent; no byte is
sent to a printer before the table says `sending`; what cannot be known is called `unknown` and decided by a person.
Never prints anything twice by itself. The rows are the truth, MQTT is the carrier, wake-ups are hints.
"""
