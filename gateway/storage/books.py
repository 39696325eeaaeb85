"""The books on disk: open a page with the rows a group of commands needs, store what was decided on it.

Runs on the writer's thread, inside its transaction. A page becomes a handful of statements whatever the size of the
group: each statement gives the interpreter to another thread and must win it back, so rows are written many at once.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from gateway.ledger import chain
from gateway.ledger.decide import Needs
from gateway.ledger.facts import BooksOpened, Fact, Row
from gateway.ledger.page import Head, Page, Paper, Product, Range
from gateway.storage import jobs

INSERT_ROWS_MAX = 64
"""Rows of one INSERT: the statement cache holds one plan for each size."""
_PAGE = """
SELECT tenure.store, tenure.epoch, tenure.exponent, tenure.lock, tenure.issuer, (SELECT version FROM catalogue),
    (SELECT json_group_array(json_array(key, last_number, high_number, last_date, wrap, range, locked_by))
        FROM series),
    (SELECT json_group_array(json_array(position, id, series, wrap, authority_kind, authority_ref, first, last,
        valid_from, valid_until, state)) FROM ranges),
    (SELECT json_group_object(sku, on_hand) FROM stock WHERE sku IN (SELECT value FROM json_each(?1))),
    (SELECT count(*) FROM documents WHERE id IN (SELECT value FROM json_each(?2))),
    journal.seq, journal.at, journal.kind, journal.body, journal.prev_hash, journal.hash
FROM tenure LEFT JOIN journal ON journal.seq = (SELECT max(seq) FROM journal)
"""
"""All that nearly every group needs, as one row: a statement gives the interpreter away at each row it answers."""

SHELF_PRODUCTS_MAX = 50_000
"""Products remembered between transactions; about 20 MB."""


class StaleTenureError(Exception):
    """Another epoch owns the file: this process may not allocate any more (I5)."""


class ForeignBooksError(Exception):
    """The file holds the books of another store, country or currency."""


class Shelf:
    """Products read before, good for one version of the catalogue; a page asks again when the version moved on."""

    def __init__(self) -> None:
        self.version = -1
        self.products: dict[str, Product] = {}

    def turn_to(self, version: int) -> None:
        """Forget everything when the catalogue is another one, or when too much is remembered."""
        if version != self.version or len(self.products) > SHELF_PRODUCTS_MAX:
            self.version, self.products = version, {}


def open_page(connection: sqlite3.Connection, wanted: Iterable[Needs] = (), shelf: Shelf | None = None) -> Page:
    """The page at this moment of the transaction, with all that `wanted` asks for."""
    papers, skus, movements = _joined(wanted)
    found = connection.execute(_PAGE, (_keys(skus), _keys(papers))).fetchone()
    if found is None:
        return Page()
    store, epoch, exponent, lock, issuer, version, heads, ranges, stock, known_papers, *newest = found
    page = Page(store, epoch, exponent, lock, issuer, None if newest[0] is None else Row(*newest))
    page.heads = {values[0]: Head(*values) for values in orjson.loads(heads)}
    for values in sorted(orjson.loads(ranges)):
        page.ranges.setdefault(values[2], []).append(Range(*values))
    page.on_hand = orjson.loads(stock)
    if skus:
        shelf = shelf or Shelf()
        shelf.turn_to(version)
        _load_products(connection, page, skus, shelf)
    if known_papers:
        _load_papers(connection, page, papers)
    if movements:
        _load_movements(connection, page, movements)
    return page


def open_books(connection: sqlite3.Connection, opened: BooksOpened, at: int) -> str:
    """Begin the books of a store, or find them begun; answers their epoch.

    Raises:
        ForeignBooksError: the file holds the books of another store, country or currency.
    """
    found = connection.execute("SELECT store, country, currency, exponent, epoch FROM tenure").fetchone()
    if found is not None:
        wanted = (opened["store"], opened["country"], opened["currency"], opened["exponent"])
        for name, have, want in zip(("store", "country", "currency", "exponent"), found, wanted, strict=False):
            if have != want:
                message = f"the books were opened with {name} {have!r}, the settings say {want!r}"
                raise ForeignBooksError(message)
        return str(found[4])
    connection.execute(
        "INSERT INTO tenure (only, store, epoch, country, currency, exponent, issuer) VALUES (1, ?, ?, ?, ?, ?, 0)",
        (opened["store"], opened["epoch"], opened["country"], opened["currency"], opened["exponent"]),
    )
    page = open_page(connection)
    page.turn(Fact("books_opened", opened), at)
    store_page(connection, page)
    return opened["epoch"]


def declared_issuer(connection: sqlite3.Connection) -> dict[str, str] | None:
    """What the head of each paper says now; None before the first declaration."""
    found = connection.execute("SELECT j.body FROM tenure AS t JOIN journal AS j ON j.seq = t.issuer").fetchone()
    return None if found is None else dict(orjson.loads(found[0])["issuer"])


def last_row(connection: sqlite3.Connection) -> Row | None:
    """The newest row of the journal."""
    found = connection.execute(
        "SELECT seq, at, kind, body, prev_hash, hash FROM journal ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    return None if found is None else Row(*found)


def store_page(connection: sqlite3.Connection, page: Page) -> None:
    """Write the page's rows and every projection they touched; all or, with the transaction, nothing."""
    _insert(
        connection,
        "INSERT INTO journal (seq, at, kind, body, prev_hash, hash) VALUES",
        [(row.seq, row.at, row.kind, row.text, row.prev_hash, row.hash) for row in page.rows],
    )
    touched: dict[str, list[str]] = {}
    for table, key in sorted(page.changed):
        touched.setdefault(table, []).append(key)
    _store_documents(connection, page, touched.get("documents", []))
    _store_series(connection, page, touched)
    _store_stock(connection, page, touched.get("movements", []))
    for document in touched.get("credits", []):
        _insert(
            connection,
            "INSERT OR REPLACE INTO credits (document, line, quantity, amount) VALUES",
            [(document, line, *credited) for line, credited in page.credits[document].items()],
        )
        _insert(
            connection,
            "INSERT OR REPLACE INTO credited_taxes (document, code, base, amount) VALUES",
            [(document, code, *credited) for code, credited in page.credited_taxes[document].items()],
        )


def check_books(connection: sqlite3.Connection, rows_max: int = 200) -> None:
    """Look at the end of the books after opening: chain, and heads that agree with the newest rows.

    The whole chain is `gateway verify`'s business; this is what start-up and a disk's return can afford.

    Raises:
        ForeignBooksError: the newest rows do not hold together.
    """
    rows = connection.execute(
        "SELECT seq, at, kind, body, prev_hash, hash FROM journal ORDER BY seq DESC LIMIT ?", (rows_max,)
    ).fetchall()
    after: Row | None = None
    for row in map(_row, rows):
        if row.hash != chain.row_hash(row.prev_hash, row.seq, row.at, row.kind, row.text):
            message = f"journal row {row.seq} was changed"
            raise ForeignBooksError(message)
        if after is not None and (after.prev_hash != row.hash or after.seq != row.seq + 1):
            message = f"journal row {after.seq} does not follow row {row.seq}"
            raise ForeignBooksError(message)
        after = row
    listed = connection.execute("SELECT max(seq) FROM documents").fetchone()[0]
    if listed is not None and (not rows or listed > rows[0][0]):
        message = f"journal row {listed}, a document, is missing"
        raise ForeignBooksError(message)
    newest: dict[str, int] = {}
    for row in map(_row, rows):
        if row.kind == "document_issued":
            document = chain.body_of(row)["document"]
            newest.setdefault(document["series"], document["number"])
    for series, number in newest.items():
        found = connection.execute("SELECT high_number FROM series WHERE key = ?", (series,)).fetchone()
        if found is None or found[0] < number:
            message = f"series {series} stands before number {number}, which was issued"
            raise ForeignBooksError(message)


def _joined(wanted: Iterable[Needs]) -> tuple[set[str], set[str], set[str]]:
    papers: set[str] = set()
    skus: set[str] = set()
    movements: set[str] = set()
    for need in wanted:
        papers.update(need.papers)
        skus.update(need.skus)
        movements.update(need.movements)
    return papers, skus, movements


def _keys(keys: Iterable[str]) -> str:
    return orjson.dumps(list(keys)).decode()


def _load_papers(connection: sqlite3.Connection, page: Page, ids: set[str]) -> None:
    for identity, digest, seq, kind, status, void_seq, void_digest, text, void_text in connection.execute(
        "SELECT d.id, d.digest, d.seq, d.type, d.status, d.void_seq, d.void_digest, j.body, v.body"
        " FROM documents AS d JOIN journal AS j ON j.seq = d.seq LEFT JOIN journal AS v ON v.seq = d.void_seq"
        " WHERE d.id IN (SELECT value FROM json_each(?))",
        (_keys(ids),),
    ).fetchall():
        body = orjson.loads(text)
        void = None
        if void_text is not None:
            voided = orjson.loads(void_text)
            void = {"reason": voided["reason"], "till": voided["till"]}
        page.papers[identity] = Paper(
            identity, digest, seq, kind, status, body["document"], body["movements"], void_digest, void_seq, void
        )
    if page.papers:
        credited = (_keys({*page.papers, *_originals(page.papers.values())}),)
        for document, line, quantity, amount in connection.execute(
            "SELECT document, line, quantity, amount FROM credits WHERE document IN (SELECT value FROM json_each(?))",
            credited,
        ).fetchall():
            page.credits.setdefault(document, {})[line] = (quantity, amount)
        for document, code, base, amount in connection.execute(
            "SELECT document, code, base, amount FROM credited_taxes"
            " WHERE document IN (SELECT value FROM json_each(?))",
            credited,
        ).fetchall():
            page.credited_taxes.setdefault(document, {})[code] = (base, amount)


def _originals(papers: Iterable[Paper]) -> list[str]:
    return [reference["document"] for paper in papers for reference in paper.document["references"]]


def _load_products(connection: sqlite3.Connection, page: Page, skus: set[str], shelf: Shelf) -> None:
    page.products = shelf.products
    missing = [sku for sku in skus if sku not in shelf.products]
    if missing:
        for sku, name, unit_price, tax, policy, below in connection.execute(
            "SELECT sku, name, unit_price, tax, policy, sell_below_zero FROM products"
            " WHERE deleted = 0 AND sku IN (SELECT value FROM json_each(?))",
            (_keys(missing),),
        ).fetchall():
            shelf.products[sku] = Product(sku, name, unit_price, tax, policy == "tracked", bool(below))


def _load_movements(connection: sqlite3.Connection, page: Page, ids: set[str]) -> None:
    for identity, digest, seq, text in connection.execute(
        "SELECT m.id, m.digest, m.seq, j.body FROM movements AS m JOIN journal AS j ON j.seq = m.seq"
        " WHERE m.id IN (SELECT value FROM json_each(?))",
        (_keys(ids),),
    ).fetchall():
        page.movements[identity] = (digest, seq, orjson.loads(text))


def _store_documents(connection: sqlite3.Connection, page: Page, voided: list[str]) -> None:
    issued: list[tuple[Any, ...]] = []
    for row in page.rows:
        if row.kind != "document_issued":
            continue
        body = page.bodies[row.seq]
        document = body["document"]
        issued.append(
            (row.seq, document["id"], bytes.fromhex(body["digest"]), document["series"], body["wrap"],
             document["number"], document["type"], "issued")
        )  # fmt: skip
        if body["print_to"] is not None:
            jobs.insert_receipt(connection, document["job"], body["print_to"], document["till"], document["id"], row.at)
    _insert(
        connection,
        "INSERT INTO documents (seq, id, digest, series, wrap, number, type, status) VALUES",
        issued,
    )
    for identity in voided:
        paper = page.papers[identity]
        connection.execute(
            "UPDATE documents SET status = ?, void_seq = ?, void_digest = ? WHERE id = ?",
            (paper.status, paper.void_seq, paper.void_digest, identity),
        )


def _store_series(connection: sqlite3.Connection, page: Page, touched: dict[str, list[str]]) -> None:
    _insert(
        connection,
        "INSERT OR REPLACE INTO series (key, last_number, high_number, last_date, wrap, range, locked_by) VALUES",
        [
            (head.key, head.last_number, head.high_number, head.last_date, head.wrap, head.range, head.locked_by)
            for head in (page.heads[key] for key in touched.get("series", []))
        ],
    )
    changed = set(touched.get("ranges", []))
    _insert(
        connection,
        "INSERT OR REPLACE INTO ranges (position, id, series, wrap, authority_kind, authority_ref, first, last,"
        " valid_from, valid_until, state) VALUES",
        [
            (each.position, each.id, each.series, each.wrap, each.authority_kind, each.authority_ref, each.first,
             each.last, each.valid_from, each.valid_until, each.state)
            for ranges in page.ranges.values()
            for each in ranges
            if each.id in changed
        ],
    )  # fmt: skip
    if "tenure" in touched:
        connection.execute("UPDATE tenure SET issuer = ?, lock = ?", (page.issuer, page.lock))


def _store_stock(connection: sqlite3.Connection, page: Page, moved: list[str]) -> None:
    if page.stock_changes:
        connection.execute(
            "INSERT INTO stock (sku, on_hand, seq) SELECT key, value, ? FROM json_each(?) WHERE true"
            " ON CONFLICT (sku) DO UPDATE SET on_hand = on_hand + excluded.on_hand, seq = excluded.seq",
            (page.seq, orjson.dumps(page.stock_changes).decode()),
        )
    _insert(
        connection,
        "INSERT INTO movements (id, digest, seq) VALUES",
        [(identity, *page.movements[identity][:2]) for identity in moved],
    )


def _insert(connection: sqlite3.Connection, head: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows with as few statements as possible."""
    for start in range(0, len(rows), INSERT_ROWS_MAX):
        part = rows[start : start + INSERT_ROWS_MAX]
        places = "(" + ",".join("?" * len(part[0])) + ")"
        connection.execute(f"{head} {','.join([places] * len(part))}", [value for row in part for value in row])


def _row(found: tuple[Any, ...]) -> Row:
    return Row(*found)
