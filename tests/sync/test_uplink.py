"""What comes back over the line may be anything: each time an end, a reason, and no token in it."""

import asyncio
import contextlib
import gc
import socket

import pytest
from aiohttp import web

from gateway.sync import codec, protocol
from gateway.sync.uplink import NoLineError, OfficeRefusedError
from tests.sync.certificates import write_certificates
from tests.sync.offices import open_office

TOKEN = "a-token-that-nobody-may-see"


@contextlib.asynccontextmanager
async def answering(handler):
    """A server that answers everything with `handler`; its address."""
    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", handler)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def always(status=200, body=b"{}", **headers):
    async def handler(request):
        await request.read()
        return web.Response(status=status, body=body, headers={"Content-Type": "application/json", **headers})

    return handler


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"next": 1}',
        b'{"next": "1", "hash": "00", "epoch": null, "session": 1}',
        b"1" * 65_536,
    ],
)
async def test_an_answer_in_another_form_is_no_line(shop, body):
    async with answering(always(body=body)) as url, shop.uplink(url, TOKEN) as uplink:
        with pytest.raises(NoLineError, match="cannot be read"):
            await uplink.hello()


async def test_an_answer_without_end_is_cut_off(shop):
    async with answering(always(body=b"x" * 100_000)) as url, shop.uplink(url, TOKEN) as uplink:
        with pytest.raises(NoLineError, match="more than 65536 bytes"):
            await uplink.hello()


async def test_orders_that_unpack_without_end_are_cut_off(shop):
    bomb = codec.pack(b"0" * (100 * 2**20))
    async with answering(always(body=bomb)) as url, shop.uplink(url, TOKEN) as uplink:
        with pytest.raises(NoLineError, match="more than"):
            await uplink.orders(0, 0)


@pytest.mark.parametrize("status", [302, 407, 429, 500, 502, 503])
async def test_an_answer_of_somebody_on_the_way_is_no_line(shop, status):
    async with answering(always(status, Location="http://127.0.0.1:9/")) as url, shop.uplink(url, TOKEN) as uplink:
        with pytest.raises(NoLineError, match=str(status)):
            await uplink.hello()


@pytest.mark.parametrize("body", [b"{}", b"not json", b'{"code": "gone", "detail": "moved away"}'])
async def test_a_no_is_told_with_its_code_or_its_status(shop, body):
    async with answering(always(410, body)) as url, shop.uplink(url, TOKEN) as uplink:
        with pytest.raises(OfficeRefusedError, match="gone" if b"gone" in body else "http_410"):
            await uplink.hello()


async def test_a_conflict_without_a_standing_is_a_no(shop):
    async with answering(always(409, b'{"code": "key_reused", "next": -4}')) as url, shop.uplink(url, TOKEN) as uplink:
        with pytest.raises(OfficeRefusedError, match="key_reused"):
            await uplink.send(b"frame", 1, 1, 1)


async def test_silence_has_an_end(shop):
    stop = asyncio.Event()

    async def handler(request):
        await stop.wait()
        return web.Response()

    async with answering(handler) as url, shop.uplink(url, TOKEN, reply_wait_ms_max=100) as uplink:
        try:
            with pytest.raises(NoLineError):
                await uplink.hello()
        finally:
            stop.set()


async def test_an_answer_that_trickles_for_ever_has_an_end(shop):
    stop = asyncio.Event()

    async def handler(request):
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError, TimeoutError):
            while not stop.is_set():
                await response.write(b"x" * 4_000)
        return response

    async with answering(handler) as url, shop.uplink(url, TOKEN) as uplink:
        try:
            with pytest.raises(NoLineError, match="more than"):
                await uplink.hello()
        finally:
            stop.set()


async def test_what_is_asked_says_who_asks_and_nothing_else_is_followed(shop):
    seen = []

    async def handler(request):
        seen.append((request.path, request.headers["Authorization"], request.headers[protocol.EPOCH_HEADER]))
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with answering(handler) as url, shop.uplink(url, TOKEN) as uplink:
        with pytest.raises(NoLineError):
            await uplink.hello()
    assert seen == [("/v1/stores/store-1/cursor", f"Bearer {TOKEN}", shop.epoch)]


async def test_the_token_is_in_no_error_and_no_repr(shop, unused_tcp_port):
    address = shop.address(f"http://127.0.0.1:{unused_tcp_port}", TOKEN)
    assert TOKEN not in repr(address)
    async with shop.uplink(address.url, TOKEN) as uplink:
        with pytest.raises(NoLineError) as broken:
            await uplink.hello()
    chain = broken.value
    while chain is not None:
        assert TOKEN not in f"{chain!r}"
        chain = chain.__cause__ or chain.__context__
    gc.collect()


async def test_a_port_that_accepts_and_says_nothing_has_an_end(shop):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(1)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with shop.uplink(url, TOKEN, reply_wait_ms_max=100) as uplink:
            with pytest.raises(NoLineError):
                await uplink.hello()


async def test_with_a_pinned_ca_no_other_is_believed(shop, tmp_path):
    right, wrong = write_certificates(tmp_path / "right"), write_certificates(tmp_path / "wrong")
    tls = {"tls_cert_file": right / "cert.pem", "tls_key_file": right / "key.pem"}
    async with open_office(tmp_path / "central", **tls) as office:
        assert office.url.startswith("https://")
        token = office.add_store()
        async with shop.uplink(office.url, token, ca_file=right / "ca.pem") as uplink:
            assert (await uplink.hello()).next == 1
        for ca_file in (wrong / "ca.pem", None):
            async with shop.uplink(office.url, token, ca_file=ca_file) as uplink:
                with pytest.raises(NoLineError, match=r"(?i)certificate"):
                    await uplink.hello()
