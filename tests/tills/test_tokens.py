import hashlib

import pytest

from gateway.tills import private_files, tokens


def test_a_token_has_256_random_bits_and_is_kept_as_sha_256():
    token = tokens.new_token()

    assert len(token) == 43
    assert token != tokens.new_token()
    assert tokens.hash_of(token) == hashlib.sha256(token.encode()).digest()


def test_anything_a_stranger_sends_can_be_hashed():
    assert len(tokens.hash_of("\ud800")) == 32


def test_the_administrators_token_is_made_once_and_for_the_owner_only(tmp_path):
    token = tokens.admin_token(tmp_path)

    assert tokens.admin_token(tmp_path) == token
    assert (tmp_path / "admin.token").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["admin.token"]


def test_rights_that_were_widened_are_narrowed(tmp_path):
    token = tokens.admin_token(tmp_path)
    (tmp_path / "admin.token").chmod(0o644)

    assert tokens.admin_token(tmp_path) == token
    assert (tmp_path / "admin.token").stat().st_mode & 0o777 == 0o600


def test_an_empty_token_file_lets_nobody_in(tmp_path):
    (tmp_path / "admin.token").touch()

    token = tokens.admin_token(tmp_path)

    assert len(token) == 43
    assert tokens.admin_token(tmp_path) == token


def test_of_two_makers_of_a_file_one_wins_and_both_read_it(tmp_path):
    path = tmp_path / "secret"
    (tmp_path / "other").write_bytes(b"mine")
    first = private_files.make_file_once(path, b"first")
    second = private_files.make_file_once(path, b"second")

    assert (first, second) == (b"first", b"first")


def test_a_replaced_file_is_whole_and_leaves_nothing_behind(tmp_path):
    path = tmp_path / "server.pem"
    private_files.replace_file(path, b"old")
    private_files.replace_file(path, b"new")

    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_put_in_place_leaves_the_old_one_and_nothing_else(tmp_path):
    path = tmp_path / "server.pem"
    path.mkdir()

    with pytest.raises(OSError, match="directory"):
        private_files.replace_file(path, b"new")

    assert list(tmp_path.iterdir()) == [path]
