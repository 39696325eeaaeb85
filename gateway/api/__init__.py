"""The till API: what tills, administrators and watchers may ask over HTTP.

`operations` is the one table from which the routes, the OpenAPI document and the readable page are made. Every
write is a command to the desk (or to the package that owns the rows) and is answered only after it is durable (I3);
`PUT` under the same id is the retry and gets the same bytes (I4). Every "no" is an RFC 9457 problem with a stable code.
Never decides anything about the books and never writes SQL.
"""
