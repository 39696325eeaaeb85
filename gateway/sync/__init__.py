"""The line to head office: what the store did goes up in order, what head office decided comes down in order.

Promises that head office holds a gapless prefix of the journal and nothing twice, whatever is cut where; that a
head-office row takes effect exactly once or is reported as refused; and that a store whose history is not the one
head office knows stops and locks (I6) instead of overwriting anything. Never decides whether the store may sell.

`codec`, `plan` and `link` are pure; `protocol` is what both ends say; `uplink` alone knows how it is carried.
"""
