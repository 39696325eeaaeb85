"""The tills of the store: who is paired, with what, and who no longer is.

An in-memory table of token hashes answers every request without touching the disk; each change is durable first and is
seen in memory in the same turn of the event loop in which its caller hears of it. Revoking works the other way round:
memory forgets the till before the disk is asked, so that no error leaves a revoked till inside.

What is refused raises `TillRefusedError` with a `code` of `gateway.tills.refusals.CATALOGUE`:

| code | from | meaning |
|---|---|---|
| `pairing_refused` | `pair` | wrong code, used code, no code, or too many wrong guesses; `tries_left` |
| `pairing_code_expired` | `pair` | the code was right or wrong, but too late |
| `till_name_taken` | `pair` | the code is right, and a till of this name is paired; the code stays good |
| `till_name_invalid` | `pair`, `make_till` | not a name as in `gateway.settings.Name`, or a reserved one |
| `tills_full` | `pair`, `make_till` | `TILLS_MAX` tills are paired |
| `till_unknown` | `revoke` | no till of this name was ever paired |

The writer's `NotDurableError`, `OverloadedError` and `ClosedError` pass through: the outcome is unknown, ask again.
"""

import asyncio
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from gateway import settings
from gateway.clock import Clock
from gateway.storage import registry as rows
from gateway.storage.reader import Reader
from gateway.storage.registry import CodeRow, Connection, TillRow
from gateway.storage.writer import Writer
from gateway.tills import pairing, passwords, tokens
from gateway.tills.names import RESERVED_NAMES, is_till_name
from gateway.tills.pairing import Guess, PairingCode
from gateway.tills.refusals import TillRefusedError

TILLS_MAX = 500
MODEL_LENGTH_MAX = 64
_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Reach:
    """Where tills reach the store: told to each till that is paired. `mqtt_host` is empty when there is no broker."""

    store: str
    api: str
    ca_pem: str
    """The store's CA; empty when the API has no TLS."""
    ca_fingerprint: str
    mqtt_host: str
    mqtt_port: int
    mqtt_tls: bool


@dataclass(frozen=True, slots=True)
class Paired:
    """What a till gets, once: `token` and `mqtt_password` are nowhere else. The MQTT user is the till's name."""

    till: str
    token: str
    mqtt_password: str
    reach: Reach


@dataclass(frozen=True, slots=True)
class Till:
    """One till of the list; times are milliseconds UTC."""

    name: str
    model: str
    paired_at: int
    revoked_at: int | None


@dataclass(frozen=True, slots=True)
class _Secrets:
    """What a new till is handed, and the row that is kept of it."""

    token: str
    password: str
    row: TillRow


class Registry:
    """The tills of one store. All methods belong to the event loop; `load` comes first."""

    def __init__(
        self,
        writer: Writer,
        reader: Reader,
        clock: Clock,
        limits: settings.Tills,
        *,
        admin_token: str,
        reach: Callable[[], Reach],
    ) -> None:
        """Store the arguments; `reach` is asked whenever a till is paired or a code is made."""
        self.changes = 0
        """Grows whenever who may come in changes: brokers and streams look at `mqtt_passwords` and `till_of` again."""
        self._writer = writer
        self._reader = reader
        self._clock = clock
        self._tries = limits.pairing_tries
        self._life_ms = limits.pairing_minutes * _MINUTE_MS
        self._admin_hash = tokens.hash_of(admin_token)
        self._reach = reach
        self._by_token: dict[bytes, str] = {}
        self._by_name: dict[str, TillRow] = {}
        self._turned_away: set[str] = set()
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()

    async def load(self) -> None:
        """Take the paired tills from the database into memory."""
        self._learn(await rows.tills(self._reader))

    def till_of(self, token_hash: bytes) -> str | None:
        """The paired till whose token has this SHA-256."""
        return self._by_token.get(token_hash)

    def is_admin(self, token_hash: bytes) -> bool:
        """Whether this is the SHA-256 of the administrator's token."""
        return hmac.compare_digest(token_hash, self._admin_hash)

    def is_mqtt_login(self, user: str, password: str) -> bool:
        """Whether a paired till of this name has this MQTT password."""
        row = self._by_name.get(user)
        return row is not None and passwords.is_right(password, row.mqtt_hash)

    def mqtt_passwords(self) -> dict[str, str]:
        """The hash of each paired till's MQTT password by user: the lines `user:hash` of Mosquitto's password file."""
        return {name: row.mqtt_hash for name, row in sorted(self._by_name.items())}

    async def wait_change(self, after: int) -> int:
        """Wait until `changes` is beyond `after`, and answer it; a hint to look again, like every wake-up."""
        while self.changes <= after:
            await self._changed.wait()
        return self.changes

    async def make_code(self) -> PairingCode:
        """Make the pairing code; an earlier one is dead from now on."""
        code = pairing.new_code()
        kept = await asyncio.to_thread(pairing.kept_form, code)
        async with self._turn:
            row = CodeRow(kept, self._clock.now_ms() + self._life_ms, self._tries)
            await self._writer.run(lambda connection: rows.put_code(connection, row))
        reach = self._reach()
        link = pairing.pairing_link(reach.api, code, reach.ca_fingerprint)
        return PairingCode(code, row.expires_at, row.tries_left, link)

    async def pair(self, code: str, till_name: str, model: str = "") -> Paired:
        """Let a till in by the pairing code, which is used up by it. One guess at a time is looked at."""
        made = self._secrets(till_name, model)
        async with self._turn:
            kept = await rows.pairing_code(self._reader)
            guess = b""
            if kept is not None and pairing.worth_trying(kept, code):
                guess = await asyncio.to_thread(pairing.kept_form, code, pairing.salt_of(kept))
            now_ms = self._clock.now_ms()
            _refuse_dead(pairing.judge(kept, guess, now_ms, self._life_ms))
            outcome = await self._writer.run(
                lambda connection: _pair(connection, guess, made.row, now_ms, self._life_ms)
            )
            return self._let_in(made, outcome)

    async def make_till(self, name: str, model: str = "") -> Paired:
        """Pair a till by the administrator's word; a till of this name gets new secrets, its old ones die at once."""
        made = self._secrets(name, model)
        async with self._turn:
            self._forget(name)
            outcome = await self._writer.run(lambda connection: _put(connection, made.row))
            return self._let_in(made, outcome)

    async def revoke(self, name: str) -> None:
        """Turn a till away from now on. Doing it again is no error and changes nothing."""
        self._turned_away.add(name)
        self._forget(name)
        async with self._turn:
            now_ms = self._clock.now_ms()
            left = await self._writer.run(lambda connection: _revoke(connection, name, now_ms))
            self._turned_away.discard(name)
            if left is None:
                raise TillRefusedError("till_unknown", till=name[:MODEL_LENGTH_MAX])
            self._learn(left)

    async def list(self) -> tuple[Till, ...]:
        """All tills by name, revoked ones too, as the database has them."""
        found = await rows.tills(self._reader)
        return tuple(Till(row.name, row.model, row.paired_at, row.revoked_at) for row in found)

    def _secrets(self, name: str, model: str) -> _Secrets:
        if not is_till_name(name):
            raise TillRefusedError("till_name_invalid", reserved=", ".join(sorted(RESERVED_NAMES)))
        token, password = tokens.new_token(), passwords.new_password()
        row = TillRow(
            name=name,
            token_hash=tokens.hash_of(token),
            mqtt_hash=passwords.password_hash(password),
            model="".join(each for each in model if each.isprintable())[:MODEL_LENGTH_MAX],
            paired_at=self._clock.now_ms(),
        )
        return _Secrets(token, password, row)

    def _let_in(self, made: _Secrets, outcome: tuple[TillRow, ...] | TillRefusedError) -> Paired:
        if isinstance(outcome, TillRefusedError):
            raise outcome
        self._turned_away.discard(made.row.name)
        self._learn(outcome)
        return Paired(made.row.name, made.token, made.password, self._reach())

    def _learn(self, found: tuple[TillRow, ...]) -> None:
        """Memory is what the database said, less those who are being turned away: also after an unknown outcome."""
        self._by_name = {row.name: row for row in found if row.revoked_at is None and row.name not in self._turned_away}
        self._by_token = {row.token_hash: row.name for row in self._by_name.values()}
        self._tell()

    def _forget(self, name: str) -> None:
        row = self._by_name.pop(name, None)
        if row is not None:
            self._by_token.pop(row.token_hash, None)
            self._tell()

    def _tell(self) -> None:
        self.changes += 1
        self._changed.set()
        self._changed = asyncio.Event()


def _refuse_dead(guess: Guess) -> None:
    """A guess at a code that is not live is refused without a transaction: nobody makes the disk work by asking."""
    if guess is Guess.EXPIRED:
        raise TillRefusedError("pairing_code_expired")
    if guess is Guess.NONE_LIVE:
        raise TillRefusedError("pairing_refused", tries_left=0)


def _pair(
    connection: Connection, guess: bytes, till: TillRow, now_ms: int, life_ms: int
) -> tuple[TillRow, ...] | TillRefusedError:
    """One transaction: judge the guess, count it, and let the till in. Answers all tills, or why not."""
    worth = pairing.judge(rows.code_in(connection), guess, now_ms, life_ms)
    _refuse_dead(worth)
    if worth is Guess.WRONG:
        rows.spend_try(connection)
        left = rows.code_in(connection)
        return TillRefusedError("pairing_refused", tries_left=0 if left is None else left.tries_left)
    if any(row.name == till.name and row.revoked_at is None for row in rows.tills_in(connection)):
        return TillRefusedError("till_name_taken", till=till.name)
    outcome = _put(connection, till)
    if not isinstance(outcome, TillRefusedError):
        rows.delete_code(connection)
    return outcome


def _put(connection: Connection, till: TillRow) -> tuple[TillRow, ...] | TillRefusedError:
    others = [row for row in rows.tills_in(connection) if row.revoked_at is None and row.name != till.name]
    if len(others) >= TILLS_MAX:
        return TillRefusedError("tills_full", tills_max=TILLS_MAX)
    rows.put_till(connection, till)
    return rows.tills_in(connection)


def _revoke(connection: Connection, name: str, at: int) -> tuple[TillRow, ...] | None:
    known = rows.revoke_till(connection, name, at)
    return rows.tills_in(connection) if known else None
