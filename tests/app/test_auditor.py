"""A gateway that sells finds by itself that its books were damaged, and says so."""

import asyncio

import pytest

from gateway.app.auditor import Auditor
from gateway.clock import SystemClock
from gateway.health.warnings import Board
from tests.cli.shell import CATALOGUE, Store

FOUND_S_MAX = 40


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    (tmp_path / "products.csv").write_text(CATALOGUE, encoding="utf-8")
    assert store("catalogue", "import", tmp_path / "products.csv").status == 0
    return store


def warned(board):
    return [(each.kind.code, each.values["detail"]) for each in board.up()]


async def test_sound_books_put_nothing_up_and_damage_is_told_until_it_is_mended(store):
    board = Board(SystemClock())
    auditor = Auditor(store.data, board)
    await auditor.look()
    assert warned(board) == []
    books = store.data / "books.sqlite3"
    sound = books.read_bytes()
    books.write_bytes(sound[:8192] + bytes(4096) + sound[12288:])
    await auditor.look()
    [(code, detail)] = warned(board)
    assert code == "books_suspect"
    assert "I3" in detail
    books.write_bytes(sound)
    await auditor.look()
    assert warned(board) == []


async def test_books_that_are_gone_are_told(store):
    board = Board(SystemClock())
    (store.data / "books.sqlite3").unlink()
    await Auditor(store.data, board).look()
    assert "no such file" in warned(board)[0][1]


async def test_it_looks_by_itself_and_leaves_nothing_behind_when_it_is_cancelled(store):
    board = Board(SystemClock())
    (store.data / "books.sqlite3").write_bytes(b"")
    auditor = Auditor(store.data, board, first_s=0, again_s=0)
    async with asyncio.TaskGroup() as group:
        looking = group.create_task(auditor.run())
        async with asyncio.timeout(FOUND_S_MAX):
            while not warned(board):
                await asyncio.sleep(0.02)
        looking.cancel()
