"""A till that was paired knows the store's CA, and speaks to nobody else."""

import ssl
from datetime import UTC, datetime

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.client.patience import ONCE
from gateway.client.problem import NoAnswerError
from gateway.client.till import Till

BEGIN, END = datetime(2020, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(subject, key, issuer, issuer_key, *, is_ca):
    builder = x509.CertificateBuilder(name(issuer), name(subject), key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(BEGIN).not_valid_after(END)
    builder = builder.add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = builder.add_extension(identifier, critical=False)
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    builder = builder.add_extension(authority, critical=False)
    if is_ca:
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture
async def store(tmp_path):
    """A gateway with a certificate of its store's CA; answers its address and the CA."""
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca = certificate("store CA", ca_key, "store CA", ca_key, is_ca=True)
    chain, secret = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(certificate("gateway-store.local", key, "store CA", ca_key, is_ca=False))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, secret)

    async def status(request):
        return web.json_response({"store": "one"})

    app = web.Application()
    app.add_routes([web.get("/v1/status", status)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield f"https://127.0.0.1:{runner.addresses[0][1]}", ca.decode()
    await runner.cleanup()


async def test_the_pinned_ca_is_trusted_under_any_address(store):
    url, ca = store
    async with Till.at(url, ca=ca, patience=ONCE) as till:
        assert (await till.status())["store"] == "one"


async def test_another_ca_is_not_trusted(store):
    url, _ = store
    key = ec.generate_private_key(ec.SECP256R1())
    other = certificate("store CA", key, "store CA", key, is_ca=True).decode()
    for ca in (other, ""):
        async with Till.at(url, ca=ca, patience=ONCE) as till:
            with pytest.raises(NoAnswerError, match="certificate"):
                await till.status()
