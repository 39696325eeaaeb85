"""Control runs: what a run left behind is spoilt in every way that matters, and each time somebody must notice."""

import json
import shutil
import sqlite3
import tempfile
from pathlib import Path

from gateway.authority.audit import verify_books
from gateway.authority.opening import BOOKS_FILE
from tests.rigs import gapless


def events_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


async def missed(stage, history):
    """The names of the spoilings that nobody noticed; must be empty."""
    return [*_missed_histories(events_of(history)), *_missed_books(stage.data)]


def _missed_histories(events):
    for rule, spoil in HISTORIES.items():
        spoilt = spoil(json.loads(json.dumps(events)))
        if rule not in {breach[:2] for breach in gapless.check(spoilt)}:
            yield f"history, {rule}: {spoil.__doc__}"


def _missed_books(data):
    head = verify_books(data).tally.head
    for spoil in BOOKS:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / BOOKS_FILE
            shutil.copy(data / BOOKS_FILE, copy)
            connection = sqlite3.connect(copy)
            with connection:
                spoil(connection)
            connection.close()
            verdict = verify_books(copy)
            if verdict.is_sound and verdict.tally.head == head:
                yield f"books: {spoil.__doc__}"


def _oks(events):
    return [event for event in events if event.get("status") == "ok"]


def _final(events):
    return next(event["final"] for event in events if "final" in event)


def two_with_one_number(events):
    """another document is said to have got the same number"""
    first, *others = _oks(events)
    next(other for other in others if other["key"] != first["key"])["number"] = first["number"]
    return events


def one_with_two_numbers(events):
    """a retry is said to have been answered with another number"""
    return [{**_oks(events)[0], "number": 10**7}, *events]


def a_hole(events):
    """a number in the middle is gone from the store"""
    numbers = _final(events)["numbers"]
    numbers.pop(len(numbers) // 2)
    return events


def a_lost_sale(events):
    """the last answered sale is gone from the store, and no hole shows it"""
    final = _final(events)
    last = final["numbers"].pop()
    final["keys"] = {key: number for key, number in final["keys"].items() if number != last}
    return events


def out_of_order(events):
    """the first sale is said to have been asked for after all others were answered"""
    first = min(_oks(events), key=lambda event: event["number"])
    end = max(event["end"] for event in _oks(events))
    for event in events:
        if event.get("key") == first["key"]:
            event["start"], event["end"] = end + 1, end + 2
    return events


def a_refused_sale(events):
    """a sale that is in the store is said to have been refused only"""
    key = _oks(events)[0]["key"]
    return [{**event, "status": "fail"} if event.get("key") == key else event for event in events]


def a_ghost(events):
    """a sale is in the store that nobody asked for"""
    key = _oks(events)[0]["key"]
    return [event for event in events if event.get("key") != key]


HISTORIES = {
    "R1": two_with_one_number,
    "R2": one_with_two_numbers,
    "R3": a_hole,
    "R4": a_lost_sale,
    "R5": out_of_order,
    "R6": a_refused_sale,
    "R7": a_ghost,
}

_MIDDLE = "(SELECT seq FROM journal WHERE kind = 'document_issued' ORDER BY seq LIMIT 1 OFFSET 5)"


def a_changed_total(connection):
    """a total in the journal is another"""
    connection.execute(f'UPDATE journal SET body = replace(body, \'"total":"\', \'"total":"9\') WHERE seq = {_MIDDLE}')


def a_changed_time(connection):
    """a row of the journal is a millisecond later"""
    connection.execute(f"UPDATE journal SET at = at + 1 WHERE seq = {_MIDDLE}")


def a_dropped_row(connection):
    """a row of the journal and its document are gone"""
    connection.execute(f"DELETE FROM documents WHERE seq = {_MIDDLE}")
    connection.execute(f"DELETE FROM journal WHERE seq = {_MIDDLE}")


def a_dropped_end(connection):
    """the last document is gone as if it had never been: head office and the tills know better"""
    (seq,) = connection.execute("SELECT max(seq) FROM journal WHERE kind = 'document_issued'").fetchone()
    connection.execute("DELETE FROM documents WHERE seq >= ?", (seq,))
    connection.execute("DELETE FROM journal WHERE seq >= ?", (seq,))
    connection.execute("UPDATE series SET last_number = last_number - 1, high_number = high_number - 1")


def a_changed_document(connection):
    """a document in the table is another than in the journal"""
    connection.execute(f"UPDATE documents SET number = number + 1000000 WHERE seq = {_MIDDLE}")


def a_changed_stock(connection):
    """a product's stock is not the sum of its movements"""
    connection.execute("UPDATE stock SET on_hand = on_hand + 1000 WHERE sku = (SELECT min(sku) FROM stock)")


BOOKS = (a_changed_total, a_changed_time, a_dropped_row, a_dropped_end, a_changed_document, a_changed_stock)
