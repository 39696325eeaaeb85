"""The books, as pure functions over values: no input, output, clock, chance, logging or asyncio.

Promises I1-I12 (`invariants`): one gapless number for each document, whatever is asked twice, late or at once.
A *command* is what somebody asks, a *fact* is one row of the journal, a *refusal* is an expected no.
The `page` holds the rows a decision needs; `decide` answers a command with facts or a refusal; `apply` turns the page.
"""
