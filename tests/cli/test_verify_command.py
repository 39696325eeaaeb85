"""`gateway verify` finds what was done to the books behind the gateway's back, and names the promise it breaks."""

import shutil
import sqlite3

import pytest

from tests.cli.shell import CATALOGUE, Store, ask, sale

SALES = 30


@pytest.fixture(scope="module")
def sold(tmp_path_factory):
    """The books of a day, closed."""
    store = Store(tmp_path_factory.mktemp("sold"))
    (store.folder / "products.csv").write_text(CATALOGUE, encoding="utf-8")
    assert store("catalogue", "import", store.folder / "products.csv").status == 0
    token = store("till", "token", "front-1").out.strip()
    with store.run() as process:
        for number in range(SALES):
            identity, request = sale(number)
            assert ask("PUT", f"{process.ready['api']}/v1/documents/{identity}", token, request).status == 201
        assert process.stop() == 0
    return store


@pytest.fixture
def copy(sold, tmp_path):
    """A copy of those books that a test may damage."""
    store = Store(tmp_path)
    shutil.copytree(sold.data, store.data)
    return store


def books(store):
    return store.data / "books.sqlite3"


def behind_its_back(store, *statements):
    with sqlite3.connect(books(store)) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
    connection.close()


def found(store, *place):
    """The rules that the verdict names; the exit status says the same as the verdict."""
    said = store("verify", *place)
    assert (said.status, said.err) == (1, "")
    assert said.json["sound"] is False
    return {each["rule"] for each in said.json["breaches"]}


def test_a_directory_and_a_file_are_judged_alike(sold):
    verdicts = [sold("verify", place) for place in (sold.data, books(sold))]
    assert [each.status for each in verdicts] == [0, 0]
    assert verdicts[0].json == verdicts[1].json
    assert verdicts[0].json["documents"] == SALES
    assert verdicts[0].json["last_numbers"] == {"000-001-01": SALES}


def test_looking_changes_nothing(sold):
    before = books(sold).read_bytes()
    assert sold("verify").status == 0
    assert books(sold).read_bytes() == before


def test_a_flipped_byte_in_a_row_is_found(copy):
    content = bytearray(books(copy).read_bytes())
    place = content.rindex(b'"formatted_number":"000-001-01-0000000')
    content[place + 24] ^= 1
    books(copy).write_bytes(content)
    assert "I12" in found(copy)


def test_a_flipped_byte_in_the_file_is_found(copy):
    content = bytearray(books(copy).read_bytes())
    page = 4096 * 2
    content[page] ^= 0xFF
    books(copy).write_bytes(content)
    assert "I3" in found(copy)


def test_a_deleted_row_is_found(copy):
    behind_its_back(copy, f"DELETE FROM journal WHERE seq = {SALES // 2}")
    assert "I12" in found(copy)


def test_the_last_rows_cut_off_are_found_by_what_stands_beside_them(copy):
    behind_its_back(copy, "DELETE FROM journal WHERE seq = (SELECT max(seq) FROM journal)")
    assert found(copy) & {"I2", "I10"}


def test_two_rows_that_changed_places_are_found(copy):
    a, b = 10, 20
    behind_its_back(
        copy,
        f"UPDATE journal SET seq = -1 WHERE seq = {a}",
        f"UPDATE journal SET seq = {a} WHERE seq = {b}",
        f"UPDATE journal SET seq = {b} WHERE seq = -1",
    )
    assert "I12" in found(copy)


def test_a_changed_total_is_found_even_with_a_new_chain(copy, tmp_path):
    """Whoever rewrites the chain still has to make the sums add up."""
    behind_its_back(copy, 'UPDATE journal SET body = replace(body, \'"total":"0.99"\', \'"total":"0.98"\')')
    assert {"I11", "I12"} <= found(copy)


def test_a_stock_figure_that_no_movement_explains_is_found(copy):
    behind_its_back(copy, "UPDATE stock SET on_hand = on_hand + 1000")
    assert found(copy) == {"I10"}


def test_a_truncated_file_is_found(copy):
    with books(copy).open("r+b") as file:
        file.truncate(books(copy).stat().st_size // 2)
    assert "I3" in found(copy, books(copy))


@pytest.mark.parametrize("length", [0, 50, 5000])
def test_a_file_of_which_nothing_is_left_cannot_be_judged(copy, length):
    with books(copy).open("r+b") as file:
        file.truncate(length)
    said = copy("verify")
    assert said.status in {1, 2}
    assert said.status == 2 or said.json["sound"] is False


@pytest.mark.parametrize("place", ["nowhere", "gateway.toml"])
def test_what_is_no_books_is_bad_use(sold, place):
    said = sold("verify", sold.folder / place)
    assert (said.status, said.out) == (2, "")
    assert "Name a data directory or a books file." in said.err
