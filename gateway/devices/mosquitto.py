"""The files that give Debian's Mosquitto the same rights and limits as the embedded broker. Pure texts.

Source: mosquitto.conf(5) and mosquitto_passwd(1) of 2.0.11; what `%u` and patterns do was tried against that version.
"""

from collections.abc import Mapping
from pathlib import Path

from gateway.devices import topics

QUEUED_MESSAGES_MAX = 1_000
MESSAGE_BYTES_MAX = 262_144


def password_file(hashes: Mapping[str, str]) -> str:
    """One line for each user: name, and the hash in `$7$` form (`gateway.tills.passwords`)."""
    return "".join(f"{user}:{hashed}\n" for user, hashed in sorted(hashes.items()))


def acl_file(store: str, gateway_user: str = topics.GATEWAY_USER) -> str:
    """A till's rights by its user name, and the whole tree for the gateway's own user (no till may have its name)."""
    root = topics.Tree(store).root
    lines = [f"user {gateway_user}", f"topic readwrite {root}/#", ""]
    lines += [f"pattern write {root}/{pattern.format(user='%u')}" for pattern in topics.WRITES]
    lines += [f"pattern read {root}/{pattern.format(user='%u')}" for pattern in topics.READS]
    return "\n".join(lines) + "\n"


def configuration(
    host: str, port: int, folder: Path, *, certificate: Path | None = None, key: Path | None = None
) -> str:
    """A `mosquitto.conf` with `passwords` and `acl` in `folder`: nobody anonymous, nothing without a limit."""
    tls = [f"certfile {certificate}", f"keyfile {key}"] if certificate is not None and key is not None else []
    return "\n".join(
        [
            f"listener {port} {host}",
            *tls,
            "allow_anonymous false",
            f"password_file {folder / 'passwords'}",
            f"acl_file {folder / 'acl'}",
            "use_username_as_clientid true",
            "set_tcp_nodelay true",
            "persistence true",
            f"persistence_location {folder}/",
            "autosave_interval 30",
            "persistent_client_expiration 1d",
            f"max_queued_messages {QUEUED_MESSAGES_MAX}",
            f"message_size_limit {MESSAGE_BYTES_MAX}",
            "",
        ]
    )
