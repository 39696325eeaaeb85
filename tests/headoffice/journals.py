"""Journals made by hand, and a store's side of the wire as plain requests."""

import io

from gateway.ledger import chain
from gateway.sync import codec, protocol

EPOCH = "e-1"


def journal(count=3, store="store-1", epoch=EPOCH, salt=""):
    """Books that were opened, and then stock that came in."""
    body = {"store": store, "epoch": epoch, "country": "plain", "currency": "USD", "exponent": 2}
    rows = [chain.next_row(None, 1_000, "books_opened", body)]
    for number in range(2, count + 1):
        rows.append(chain.next_row(rows[-1], 1_000 * number, "stock_moved", moved(f"m{salt}{number}")))
    return rows


def moved(identity, sku="MILK", quantity=1000):
    return {
        "id": identity,
        "digest": "00" * 32,
        "kind": "receipt",
        "by": "ana",
        "reason": "",
        "movements": [[sku, quantity]],
    }


def headers(epoch=EPOCH, session=None):
    found = {protocol.PROTOCOL_HEADER: "1", protocol.EPOCH_HEADER: epoch}
    return found if session is None else {**found, protocol.SESSION_HEADER: str(session)}


async def hello(office, token, store="store-1", epoch=EPOCH):
    """A new line's session."""
    status, standing = await office.ask("GET", f"/v1/stores/{store}/cursor", token, headers=headers(epoch))
    assert status == 200, standing
    return standing["session"]


async def send(office, token, session, rows=None, *, frame=None, first=None, store="store-1", epoch=EPOCH, **changed):
    """(status, answer) of one chunk."""
    content = codec.encode(rows) if frame is None else frame
    sent = {**headers(epoch, session), "Content-Type": codec.MEDIA_TYPE, **changed}
    if isinstance(content, bytes):
        content = io.BytesIO(content)
    path = f"/v1/stores/{store}/chunks/{rows[0].seq if first is None else first}"
    return await office.ask("POST", path, token, headers=sent, data=content)
