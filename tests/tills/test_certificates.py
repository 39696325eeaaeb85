import asyncio
import hashlib
import ssl
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from gateway.clock import HandClock, SystemClock
from gateway.tills.addresses import server_addresses
from gateway.tills.certificates import EARLIEST_MS, CertificateError, Certificates

DAY_MS = 86_400_000
NOW_MS = 1_795_278_031_118
ADDRESSES = ("127.0.0.1", "::1", "192.168.1.10")


@pytest.fixture
def make(tmp_path):
    """The store's certificates as after a start; a second call on the same folder is a restart."""

    def open_(clock=None, addresses=ADDRESSES, host_names=("mini-pc",), folder=tmp_path):
        made = Certificates(
            folder,
            "store-1",
            clock or SystemClock(),
            host_names=host_names,
            addresses=addresses if callable(addresses) else lambda: addresses,
        )
        made.open()
        return made

    return open_


def server_certificate(certificates):
    return x509.load_pem_x509_certificates(certificates.server_file.read_bytes())[0]


def names_of(certificate):
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(name.value) for name in names}


def trusting(ca_pem):
    return ssl.create_default_context(cadata=ca_pem)


async def handshake(server_context, client_context, name, host="127.0.0.1"):
    """A real TLS handshake over loopback; answers the client's view: protocol and the certificate it was shown."""
    finished = asyncio.Event()

    async def serve(reader, writer):
        await reader.read()
        writer.close()
        finished.set()

    server = await asyncio.start_server(serve, host, 0, ssl=server_context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection(host, port, ssl=client_context, server_hostname=name)
        tls = writer.get_extra_info("ssl_object")
        seen = tls.version(), tls.getpeercert(binary_form=True)
        writer.close()
        await writer.wait_closed()
        await finished.wait()
    return seen


@pytest.mark.parametrize("name", ["localhost", "gateway-store-1.local", "mini-pc", "127.0.0.1", "192.168.1.10"])
async def test_a_till_that_trusts_the_ca_trusts_every_name_and_address_of_the_gateway(make, name):
    certificates = make()

    version, shown = await handshake(certificates.server_context, trusting(certificates.ca_pem), name)

    assert version == "TLSv1.3"
    assert shown == server_certificate(certificates).public_bytes(serialization.Encoding.DER)


async def test_a_till_that_trusts_another_store_does_not_trust_this_one(make, tmp_path):
    certificates = make()
    (tmp_path / "other").mkdir()
    other = make(folder=tmp_path / "other")

    with pytest.raises(ssl.SSLCertVerificationError):
        await handshake(certificates.server_context, trusting(other.ca_pem), "localhost")


async def test_a_name_that_is_not_the_gateways_is_refused_by_the_till(make):
    certificates = make()

    with pytest.raises(ssl.SSLCertVerificationError):
        await handshake(certificates.server_context, trusting(certificates.ca_pem), "gateway-store-2.local")


async def test_tls_1_2_is_the_oldest_that_is_spoken(make):
    certificates = make()
    old = trusting(certificates.ca_pem)
    old.maximum_version = ssl.TLSVersion.TLSv1_2

    version, _ = await handshake(certificates.server_context, old, "localhost")

    assert version == "TLSv1.2"
    assert certificates.server_context.minimum_version is ssl.TLSVersion.TLSv1_2


async def test_the_ca_cannot_sign_for_the_bank(make, tmp_path):
    certificates = make()
    ca = x509.load_pem_x509_certificate(certificates.ca_pem.encode())
    ca_key = serialization.load_pem_private_key((tmp_path / "ca.key").read_bytes(), password=None)
    key = ec.generate_private_key(ec.SECP256R1())
    forged = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(ca.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(ca.not_valid_before_utc)
        .not_valid_after(ca.not_valid_after_utc)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("bank.example.com")]), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    (tmp_path / "forged.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + forged.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "forged.pem")

    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree"):
        await handshake(context, trusting(certificates.ca_pem), "bank.example.com")


def test_the_ca_signs_servers_only_and_lasts_ten_years(make):
    ca = x509.load_pem_x509_certificate(make(HandClock(NOW_MS)).ca_pem.encode())

    constraints = ca.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (True, 0)
    assert isinstance(ca.public_key().curve, ec.SECP256R1)
    assert ca.not_valid_before_utc == datetime(2026, 1, 1, tzinfo=UTC)
    assert ca.not_valid_after_utc.year == 2036


def test_private_files_are_the_owners_only(make, tmp_path):
    make()

    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"ca.key": 0o600, "ca.pem": 0o644, "server.pem": 0o600}


def test_the_fingerprint_is_the_sha_256_of_the_certificate(make):
    certificates = make()

    der = ssl.PEM_cert_to_DER_cert(certificates.ca_pem)
    assert certificates.ca_fingerprint == hashlib.sha256(der).hexdigest()


def test_the_ca_is_in_the_chain_so_that_a_pinned_fingerprint_can_be_checked(make):
    certificates = make()

    chain = x509.load_pem_x509_certificates(certificates.server_file.read_bytes())

    assert chain[1].fingerprint(hashes.SHA256()).hex() == certificates.ca_fingerprint


def test_a_restart_keeps_ca_and_certificate(make):
    before = make()
    after = make()

    assert after.ca_pem == before.ca_pem
    assert server_certificate(after) == server_certificate(before)
    assert after.renewals == 0


def test_a_new_address_is_in_a_new_certificate_of_the_same_ca(make):
    before = make()
    old = server_certificate(before)

    after = make(addresses=(*ADDRESSES, "10.0.0.7"))

    assert after.ca_pem == before.ca_pem
    assert server_certificate(after) != old
    assert names_of(server_certificate(after)) == {
        "gateway-store-1.local", "localhost", "mini-pc", "127.0.0.1", "::1", "192.168.1.10", "10.0.0.7"
    }  # fmt: skip


def test_the_same_addresses_in_another_order_are_no_reason_for_a_new_certificate(make):
    make()

    assert make(addresses=tuple(reversed(ADDRESSES))).renewals == 0


async def test_a_renewed_certificate_is_shown_without_a_restart(make):
    addresses = ["127.0.0.1"]
    certificates = make(addresses=addresses)
    client = trusting(certificates.ca_pem)
    with pytest.raises(ssl.SSLCertVerificationError):
        await handshake(certificates.server_context, client, "10.0.0.7")

    addresses.append("10.0.0.7")

    assert certificates.renew()
    await handshake(certificates.server_context, client, "10.0.0.7")
    assert not certificates.renew()


async def test_a_disk_that_takes_nothing_leaves_the_old_certificate_and_is_asked_again(make, tmp_path):
    (tmp_path / "data").mkdir()
    loop, asked = asyncio.get_running_loop(), asyncio.Semaphore(0)
    addresses = ["127.0.0.1"]

    def addresses_now():
        loop.call_soon_threadsafe(asked.release)
        return tuple(addresses)

    async def asked_times(count):
        for _ in range(count):
            await asked.acquire()

    certificates = make(folder=tmp_path / "data", addresses=addresses_now)
    client = trusting(certificates.ca_pem)
    (tmp_path / "data").rename(tmp_path / "gone")
    addresses.append("10.0.0.7")
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        running = group.create_task(certificates.run(0.01))
        await asked_times(4)
        assert certificates.renewals == 1
        await handshake(certificates.server_context, client, "127.0.0.1")

        (tmp_path / "gone").rename(tmp_path / "data")
        while certificates.renewals == 1:
            await asked_times(1)
        running.cancel()

    await handshake(certificates.server_context, client, "10.0.0.7")


def test_a_certificate_is_renewed_thirty_days_before_its_end(make):
    clock = HandClock(NOW_MS)
    certificates = make(clock)
    clock.advance(366 * DAY_MS)
    assert not certificates.renew()

    clock.advance(2 * DAY_MS)

    assert certificates.renew()
    left = server_certificate(certificates).not_valid_after_utc.timestamp() * 1000 - clock.now_ms()
    assert left > 396 * DAY_MS


def is_accepted(certificates, at_ms):
    """Whether a till that trusts the CA accepts the server certificate at a moment, as the X.509 rules have it."""
    ca = x509.load_pem_x509_certificate(certificates.ca_pem.encode())
    at = datetime.fromtimestamp(at_ms // 1000, UTC)
    verifier = PolicyBuilder().store(Store([ca])).time(at).build_server_verifier(x509.DNSName("gateway-store-1.local"))
    try:
        verifier.verify(server_certificate(certificates), [])
    except VerificationError:
        return False
    return True


def test_what_was_signed_in_1970_is_good_when_the_clock_is_set(make):
    clock = HandClock(86_400_000)
    certificates = make(clock)
    ca = x509.load_pem_x509_certificate(certificates.ca_pem.encode())
    assert ca.not_valid_before_utc.timestamp() * 1000 == EARLIEST_MS
    assert ca.not_valid_after_utc.year >= 2035

    assert is_accepted(certificates, NOW_MS)

    clock.ms = EARLIEST_MS + 3 * 365 * DAY_MS
    assert not is_accepted(certificates, clock.ms)
    assert certificates.renew()
    assert is_accepted(certificates, clock.ms)
    assert is_accepted(certificates, clock.ms + 390 * DAY_MS)


def test_what_was_signed_in_the_far_future_is_signed_again_when_the_clock_is_set(make):
    clock = HandClock(NOW_MS + 5 * 365 * DAY_MS)
    certificates = make(clock)
    clock.ms = NOW_MS

    assert certificates.renew()

    assert server_certificate(certificates).not_valid_before_utc.timestamp() * 1000 <= NOW_MS


def test_a_till_whose_clock_is_months_behind_accepts_the_certificate(make):
    server = server_certificate(make(HandClock(NOW_MS)))

    assert server.not_valid_before_utc.timestamp() * 1000 <= NOW_MS - 300 * DAY_MS


def test_a_certificate_is_valid_for_less_than_the_825_days_apple_accepts(make):
    server = server_certificate(make(HandClock(NOW_MS + 5 * 365 * DAY_MS)))

    assert (server.not_valid_after_utc - server.not_valid_before_utc).days < 825


async def test_a_ca_near_its_end_is_signed_anew_and_tills_with_the_old_one_go_on(make):
    clock = HandClock(86_400_000)
    certificates = make(clock)
    old_ca = certificates.ca_pem
    clock.ms = EARLIEST_MS + (3652 - 364) * DAY_MS

    assert certificates.renew()

    assert certificates.ca_pem != old_ca
    old, new = (x509.load_pem_x509_certificate(pem.encode()) for pem in (old_ca, certificates.ca_pem))
    assert is_accepted(certificates, clock.ms)
    server_certificate(certificates).verify_directly_issued_by(old)
    assert new.not_valid_after_utc > old.not_valid_after_utc
    assert make(clock).ca_pem == certificates.ca_pem


def test_a_host_that_was_renamed_keeps_a_certificate_that_tills_accept(make):
    make()

    after = make(host_names=("another",))

    assert "another" not in names_of(server_certificate(after))
    assert "gateway-store-1.local" in names_of(server_certificate(after))


@pytest.mark.parametrize("name", ["", "ñandú", "two words", "-x", "a" * 64, "a..b", "."])
def test_a_host_name_that_is_none_is_left_out(make, name):
    assert names_of(server_certificate(make(host_names=(name,)))) == {
        "gateway-store-1.local", "localhost", *ADDRESSES
    }  # fmt: skip


def test_a_crash_between_key_and_certificate_is_made_good(make, tmp_path):
    make()
    (tmp_path / "ca.pem").unlink()
    key = (tmp_path / "ca.key").read_bytes()

    make()

    assert (tmp_path / "ca.key").read_bytes() == key
    server_certificate(make()).verify_directly_issued_by(
        x509.load_pem_x509_certificate((tmp_path / "ca.pem").read_bytes())
    )


def test_a_lost_ca_key_is_said_and_never_replaced_in_silence(make, tmp_path):
    make()
    (tmp_path / "ca.key").unlink()

    with pytest.raises(CertificateError, match="pair every till again"):
        make()


def test_a_key_of_another_ca_is_said(make, tmp_path):
    make()
    (tmp_path / "other").mkdir()
    make(folder=tmp_path / "other")
    (tmp_path / "ca.key").write_bytes((tmp_path / "other" / "ca.key").read_bytes())

    with pytest.raises(CertificateError, match="same backup"):
        make()


@pytest.mark.parametrize("name", ["ca.key", "ca.pem"])
def test_a_broken_file_of_the_ca_is_said(make, tmp_path, name):
    make()
    (tmp_path / name).write_bytes(b"-----BEGIN NOTHING-----\n")

    with pytest.raises(CertificateError, match="backup"):
        make()


@pytest.mark.parametrize("content", [b"", b"rubbish", b"-----BEGIN CERTIFICATE-----\n"])
def test_a_broken_server_file_is_signed_again(make, tmp_path, content):
    make()
    (tmp_path / "server.pem").write_bytes(content)

    assert make().renewals == 1


def test_this_machines_addresses_are_found():
    addresses = server_addresses()

    assert {"127.0.0.1", "::1"} <= set(addresses)
    assert not any(address.startswith(("fe80", "169.254")) for address in addresses)
