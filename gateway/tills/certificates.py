"""The store's own certificate authority, and the server certificate it keeps fresh.

Files of the data directory: `ca.key` (0600), `ca.pem` (for everybody), `server.pem` (0600; key, certificate, CA). The
CA may sign no other CA (path length 0) and only names of this network (`.local`, `localhost` and the host's own names),
so that its key, stolen, is no key to the till's bank.

Wrong clocks. A mini-PC with a dead battery wakes up in 1970, and what it signs then must still be good when the time is
set. Nothing is therefore signed as of earlier than `EARLIEST_MS`, a date before any gateway was made:

- The CA is valid from `EARLIEST_MS` on, whatever the clock says, and until ten years after the later of clock and
  `EARLIEST_MS`. In its last year it is signed anew with the same key and name: tills that hold the old one go on.
- The server certificate is valid from a year *before* it was signed (not before `EARLIEST_MS`), so a till whose clock
  is behind accepts it, and for 397 days after; together below the 825 days that Apple's systems accept. `renew`
  replaces it within 30 days of its end, and when its beginning lies in the future: it was signed by a clock far ahead.
"""

import asyncio
import hashlib
import ipaddress
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import structlog
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.clock import Clock
from gateway.tills import private_files

EARLIEST_MS = 1_767_225_600_000
"""2026-01-01."""
CA_DAYS = 3652
CA_RENEW_DAYS = 365
SERVER_DAYS = 397
SERVER_BACKDATED_DAYS = 365
SERVER_RENEW_DAYS = 30
RENEW_PAUSE_S = 60.0
"""How soon a new address, or a clock that was set, shows in the certificate."""

_log = structlog.get_logger(__name__)

_DAY_MS = 86_400_000
_HOST_LENGTH_MAX = 253


class CertificateError(Exception):
    """The store's certificate files cannot be used; `hint` says what a person can do."""

    def __init__(self, detail: str, hint: str) -> None:
        super().__init__(f"{detail}; {hint}")
        self.detail = detail
        self.hint = hint


class Certificates:
    """The CA and the server certificate of one store. `open` comes first; `run` keeps the certificate fresh."""

    def __init__(
        self,
        folder: Path,
        store: str,
        clock: Clock,
        *,
        host_names: tuple[str, ...],
        addresses: Callable[[], tuple[str, ...]],
    ) -> None:
        """Store the arguments; `addresses` is asked at each renewal (`gateway.tills.addresses.server_addresses`)."""
        self.server_file = folder / "server.pem"
        """Key, certificate and CA, for a program that wants a file (an MQTT broker)."""
        self.ca_file = folder / "ca.pem"
        self.renewals = 0
        """Grows with each new server certificate: a program that read the file reads it again."""
        self._ca_key_file = folder / "ca.key"
        self._store = store
        self._clock = clock
        self._names = _dns_names(store, host_names)
        self._addresses = addresses
        self._ca_key: ec.EllipticCurvePrivateKey | None = None
        self._ca: x509.Certificate | None = None
        self._server: x509.Certificate | None = None
        self._context: ssl.SSLContext | None = None

    def open(self) -> None:
        """Read the files, or make them; after it everything else can be asked. Blocks.

        Raises:
            CertificateError: the CA's files do not belong together or cannot be read.
            OSError: the data directory cannot be written.
        """
        self._ca_key = self._opened_key()
        self._ca = self._opened_ca(self._ca_key)
        self._server = self._opened_server(self._ca)
        self.renew()

    @property
    def ca_pem(self) -> str:
        """The CA's certificate as PEM: what tills trust."""
        return self._authority().public_bytes(serialization.Encoding.PEM).decode("ascii")

    @property
    def ca_fingerprint(self) -> str:
        """SHA-256 of the CA's certificate (DER), hex: mDNS TXT `ca` and the pairing QR."""
        return hashlib.sha256(self._authority().public_bytes(serialization.Encoding.DER)).hexdigest()

    @property
    def server_context(self) -> ssl.SSLContext:
        """For servers, TLS 1.2 and later. The one object: a renewed certificate is in it from the next handshake on."""
        assert self._context is not None, "open comes first"
        return self._context

    def renew(self) -> bool:
        """Sign what has to be signed anew; answers whether anything was. Blocks for a few milliseconds."""
        assert self._ca_key is not None, "open comes first"
        authority = self._authority()
        now_ms = self._now_ms()
        addresses = self._addresses()
        ca_is_old = _ms(authority.not_valid_after_utc) - now_ms < CA_RENEW_DAYS * _DAY_MS
        if ca_is_old:
            authority = _signed_ca(self._ca_key, self._store, self._names, now_ms)
            private_files.replace_file(self.ca_file, _pem(authority), mode=private_files.PUBLIC_MODE)
            self._ca = authority
        names = _alternative_names(_permitted(authority, self._names), addresses)
        is_new = ca_is_old or self._server is None or not _is_good(self._server, names, now_ms)
        if is_new:
            self._server = self._sign_server(authority, names, now_ms)
            self.renewals += 1
        if self._context is None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.minimum_version = ssl.TLSVersion.TLSv1_2
            self._context.load_cert_chain(self.server_file)
        elif is_new:
            self._context.load_cert_chain(self.server_file)
        return is_new

    async def run(self, pause_s: float = RENEW_PAUSE_S) -> None:
        """Renew whenever addresses, time or the clock ask for it, until cancelled. A full disk leaves the old one."""
        while True:
            await asyncio.sleep(pause_s)
            try:
                if await asyncio.to_thread(self.renew):
                    _log.info("certificate_renewed", renewals=self.renewals)
            except OSError as error:
                _log.warning("certificate_not_renewed", reason=str(error))

    def _authority(self) -> x509.Certificate:
        assert self._ca is not None, "open comes first"
        return self._ca

    def _now_ms(self) -> int:
        return max(self._clock.now_ms(), EARLIEST_MS)

    def _opened_key(self) -> ec.EllipticCurvePrivateKey:
        if self.ca_file.exists() and not self._ca_key_file.exists():
            raise CertificateError(
                f"{self._ca_key_file} is missing",
                f"put it back from a backup, or delete {self.ca_file} and pair every till again",
            )
        text = private_files.make_file_once(self._ca_key_file, _key_pem(ec.generate_private_key(ec.SECP256R1())))
        try:
            key = serialization.load_pem_private_key(text, password=None)
        except ValueError as error:
            raise CertificateError(f"{self._ca_key_file} is not a key", "put it back from a backup") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise CertificateError(f"{self._ca_key_file} is not an elliptic-curve key", "put it back from a backup")
        return key

    def _opened_ca(self, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
        """A crash between key and certificate leaves the key alone: the certificate is made of it now."""
        if not self.ca_file.exists():
            made = _signed_ca(key, self._store, self._names, self._now_ms())
            private_files.replace_file(self.ca_file, _pem(made), mode=private_files.PUBLIC_MODE)
            return made
        try:
            found = x509.load_pem_x509_certificate(self.ca_file.read_bytes())
        except ValueError as error:
            raise CertificateError(f"{self.ca_file} is not a certificate", "put it back from a backup") from error
        if found.public_key() != key.public_key():
            raise CertificateError(
                f"{self.ca_file} does not belong to {self._ca_key_file}", "put both back from the same backup"
            )
        return found

    def _opened_server(self, authority: x509.Certificate) -> x509.Certificate | None:
        """The server certificate of the last run; anything wrong with the file means: sign another."""
        try:
            text = private_files.read_private(self.server_file)
            key = serialization.load_pem_private_key(text, password=None)
            found, *_ = x509.load_pem_x509_certificates(text)
            found.verify_directly_issued_by(authority)
        except (OSError, ValueError, TypeError, InvalidSignature):
            return None
        return found if found.public_key() == key.public_key() else None

    def _sign_server(self, authority: x509.Certificate, names: list[x509.GeneralName], now_ms: int) -> x509.Certificate:
        assert self._ca_key is not None
        key = ec.generate_private_key(ec.SECP256R1())
        not_before_ms = max(EARLIEST_MS, now_ms - SERVER_BACKDATED_DAYS * _DAY_MS)
        not_after_ms = min(now_ms + SERVER_DAYS * _DAY_MS, _ms(authority.not_valid_after_utc))
        made = (
            _builder(key.public_key(), authority.subject, f"Store gateway {self._store}", not_before_ms, not_after_ms)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(_key_of(authority), critical=False)
            .sign(self._ca_key, hashes.SHA256())
        )
        private_files.replace_file(self.server_file, _key_pem(key) + _pem(made) + _pem(authority))
        return made


def _is_good(server: x509.Certificate, names: list[x509.GeneralName], now_ms: int) -> bool:
    return (
        _ms(server.not_valid_before_utc) <= now_ms
        and _ms(server.not_valid_after_utc) - now_ms > SERVER_RENEW_DAYS * _DAY_MS
        and list(server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value) == names
    )


def _permitted(authority: x509.Certificate, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names this CA may sign. One name too many, as after the host was renamed, would spoil the certificate."""
    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    roots = [each.value for each in constraints.permitted_subtrees or () if isinstance(each, x509.DNSName)]
    return tuple(name for name in names if any(f".{name}".endswith(f".{root}") for root in roots))


def _signed_ca(key: ec.EllipticCurvePrivateKey, store: str, names: tuple[str, ...], now_ms: int) -> x509.Certificate:
    title = f"Store {store} {hashlib.sha256(_public_der(key)).hexdigest()[:8]}"
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])
    permitted = [x509.DNSName(name) for name in ("local", *names) if not name.endswith(".local")]
    return (
        _builder(key.public_key(), subject, title, EARLIEST_MS, now_ms + CA_DAYS * _DAY_MS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def _builder(
    key: ec.EllipticCurvePublicKey, issuer: x509.Name, title: str, not_before_ms: int, not_after_ms: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)]))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_time(not_before_ms))
        .not_valid_after(_time(not_after_ms))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_of(authority: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _dns_names(store: str, host_names: tuple[str, ...]) -> tuple[str, ...]:
    """The gateway's names: its mDNS name, `localhost`, and those of the host that DNS could carry."""
    names = {f"gateway-{store}.local", "localhost"}
    for given in host_names:
        name = given.strip().rstrip(".").lower()
        if 0 < len(name) <= _HOST_LENGTH_MAX and all(_is_label(label) for label in name.split(".")):
            names.add(name)
    return tuple(sorted(names))


def _is_label(label: str) -> bool:
    return 0 < len(label) <= 63 and label.isascii() and label.replace("-", "").isalnum() and label.strip("-") == label


def _alternative_names(names: tuple[str, ...], addresses: tuple[str, ...]) -> list[x509.GeneralName]:
    return [
        *(x509.DNSName(name) for name in names),
        *(x509.IPAddress(ipaddress.ip_address(address)) for address in sorted(set(addresses))),
    ]


def _public_der(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, UTC)


def _ms(at: datetime) -> int:
    return int(at.timestamp()) * 1000
