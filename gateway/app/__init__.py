"""The composition root: settings in, a running gateway out; nobody below knows it.

`running` puts the parts together and says in which order they stop; `reach` is where the gateway is found,
`message_bus` the broker, `tasks` the one place where the daemon's tasks live.
"""
