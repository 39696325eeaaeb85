"""Other desks behind the very same API: one that answers at once, and one whose books are PostgreSQL's.

Server, authorisation, validation, the making of the command and the writing of the reply are the product's own code;
only `desk.submit` is another. Replies have the shape and size of the gateway's.
"""

import asyncio
from zoneinfo import ZoneInfo

import asyncpg
import orjson

from gateway.authority.desk import Done
from gateway.instants import iso, local_date
from gateway.ledger import amounts

SERIES = "000-001-01"
AUTHORITY = {"kind": "CAI", "ref": "B7F0A4-3C91D2-4E45E0-63BE03-090917-2A", "first": 1, "last": 99_999_999}
VALID_UNTIL = "2099-12-31"

TABLES = """
CREATE TABLE counters (series text PRIMARY KEY, last_number bigint NOT NULL);
INSERT INTO counters VALUES ('000-001-01', 0);
CREATE TABLE stock (sku text PRIMARY KEY, on_hand bigint NOT NULL);
CREATE TABLE documents (
    id uuid PRIMARY KEY, series text NOT NULL, number bigint NOT NULL, digest bytea NOT NULL, body jsonb NOT NULL,
    UNIQUE (series, number)
);
CREATE TABLE lines (
    document uuid NOT NULL REFERENCES documents, line int NOT NULL, sku text NOT NULL, quantity bigint NOT NULL,
    unit_price bigint NOT NULL, discount bigint NOT NULL, PRIMARY KEY (document, line)
);
"""
"""No less than the guarantee needs: one request, one number, no gap, stock that agrees."""

FOUR = (
    "UPDATE counters SET last_number = last_number + 1 WHERE series = $1 RETURNING last_number",
    "INSERT INTO documents (id, series, number, digest, body) VALUES ($1, $2, $3, $4, $5)",
    (
        "INSERT INTO lines SELECT $1, line, sku, quantity, unit_price, discount FROM"
        " unnest($2::int[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[])"
        " AS given (line, sku, quantity, unit_price, discount)"
    ),
    (
        "UPDATE stock SET on_hand = on_hand - quantity FROM (SELECT sku, sum(quantity) AS quantity"
        " FROM unnest($1::text[], $2::bigint[]) AS each (sku, quantity) GROUP BY sku)"
        " AS taken WHERE stock.sku = taken.sku"
    ),
)

CTE = (
    "WITH taken_number AS (UPDATE counters SET last_number = last_number + 1 WHERE series = $2 RETURNING last_number),"
    " issued AS (INSERT INTO documents (id, series, number, digest, body)"
    " SELECT $1, $2, last_number, $3, $4 FROM taken_number),"
    " moved AS (UPDATE stock SET on_hand = on_hand - quantity FROM (SELECT sku, sum(quantity) AS quantity"
    " FROM unnest($5::text[], $6::bigint[]) AS each (sku, quantity) GROUP BY sku)"
    " AS taken WHERE stock.sku = taken.sku)"
    " SELECT last_number FROM taken_number"
)

FUNCTION = """
CREATE FUNCTION issue(uuid, text, bytea, jsonb, text[], bigint[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE taken_number bigint;
BEGIN
    UPDATE counters SET last_number = last_number + 1 WHERE series = $2 RETURNING last_number INTO taken_number;
    INSERT INTO documents (id, series, number, digest, body) VALUES ($1, $2, taken_number, $3, $4);
    UPDATE stock SET on_hand = on_hand - quantity FROM
        (SELECT sku, sum(quantity) AS quantity FROM unnest($5, $6) AS each (sku, quantity) GROUP BY sku) AS taken
        WHERE stock.sku = taken.sku;
    RETURN taken_number;
END $$;
"""
FUNCTION_CALL = "SELECT issue($1, $2, $3, $4, $5, $6)"


def answer(command, number, names, zone, now_ms):
    """A document as the gateway answers it, made from the request alone: nothing is priced or looked up but names."""
    text = amounts.text
    total = text(command.expected_total, 2)
    return {
        "id": command.id,
        "type": command.type.value,
        "status": "issued",
        "series": SERIES,
        "number": number,
        "formatted_number": f"{SERIES}-{number:08d}",
        "issued_at": iso(now_ms),
        "fiscal_date": local_date(now_ms, zone).isoformat(),
        "till": command.till,
        "issued_by": {"cashier": command.cashier, "shift": command.shift},
        "price_list": command.price_list,
        "lines": [
            {
                "sku": line.sku,
                "name": names[line.sku],
                "quantity": text(line.quantity, 3),
                "unit_price": text(line.unit_price, 2),
                "discount": text(line.discount, 2),
                "total": text(line.unit_price, 2),
                "tax": "isv15",
            }
            for line in command.lines
        ],
        "taxes": [{"code": "isv15", "rate": "15", "base": total, "amount": total}],
        "total": total,
        "payments": [{"method": each.method, "amount": text(each.amount, 2)} for each in command.payments],
        "change": "0.00",
        "customer": None,
        "references": [],
        "authority": {**AUTHORITY, "valid_until": VALID_UNTIL},
        "seq": number,
        "warnings": [],
        "job": None,
    }


class AnswersAtOnce:
    """What the API costs by itself: well-formed requests are answered from themselves, and nothing is kept."""

    def __init__(self, house, clock, names):
        self.house = house
        self.seq = 0
        self.trusted_at = 0
        self._clock = clock
        self._names = names

    async def submit(self, command):
        self.seq += 1
        return Done(self.seq, created=True, body=self.body(command, self.seq))

    async def wait_change(self, after_seq):
        """Nothing is ever written here."""
        await asyncio.Event().wait()

    def body(self, command, number):
        return answer(command, number, self._names, self.house.zone or ZoneInfo("UTC"), self._clock.now_ms())


class FourStatements(AnswersAtOnce):
    """As its users write it: a transaction around counter, document, lines and stock."""

    pool: asyncpg.Pool

    async def submit(self, command):
        counter, document, lines, stock = FOUR
        skus, quantities, prices, discounts = columns(command)
        async with self.pool.acquire() as connection, connection.transaction():
            number = await connection.fetchval(counter, SERIES)
            body = self.body(command, number)
            shown = orjson.dumps(body).decode()
            await connection.execute(document, command.id, SERIES, number, command.digest, shown)
            places = list(range(1, len(skus) + 1))
            await connection.execute(lines, command.id, places, skus, quantities, prices, discounts)
            await connection.execute(stock, skus, quantities)
        return Done(number, created=True, body=body)


class OneStatement(AnswersAtOnce):
    """Everything in one round trip, lines inside the JSON, number filled in after the answer."""

    pool: asyncpg.Pool
    statement: str

    async def submit(self, command):
        skus, quantities, _, _ = columns(command)
        body = self.body(command, 0)
        shown = orjson.dumps(body).decode()
        async with self.pool.acquire() as connection:
            number = await connection.fetchval(
                self.statement, command.id, SERIES, command.digest, shown, skus, quantities
            )
        body["number"] = body["seq"] = number
        body["formatted_number"] = f"{SERIES}-{number:08d}"
        return Done(number, created=True, body=body)


def columns(command):
    """The lines as asyncpg takes arrays."""
    lines = command.lines
    return (
        [line.sku for line in lines],
        [line.quantity for line in lines],
        [line.unit_price for line in lines],
        [line.discount for line in lines],
    )


async def connect_pool(where, size):
    """A pool whose connections are all there before the first request."""
    return await asyncpg.create_pool(**where, min_size=size, max_size=size)


async def make_tables(where, skus):
    """A new database: tables, the counter, and a row of stock for each SKU."""
    connection = await asyncpg.connect(**where)
    try:
        await connection.execute(TABLES)
        await connection.execute(FUNCTION)
        await connection.copy_records_to_table("stock", records=[(sku, 10**15) for sku in skus])
    finally:
        await connection.close()


async def check_tables(where):
    """How many documents are in a database whose numbers are 1, 2, 3 ... without gap, or an error.

    Raises:
        ValueError: a number is missing or there twice.
    """
    connection = await asyncpg.connect(**where)
    try:
        count, first, last = await connection.fetchrow("SELECT count(*), min(number), max(number) FROM documents")
    finally:
        await connection.close()
    if count and (first, last) != (1, count):
        raise ValueError(f"{count} documents numbered from {first} to {last}")
    return count
