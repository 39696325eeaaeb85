"""A real head office for a test, in this process, and what a reader sees of it."""

import contextlib
from dataclasses import dataclass

import aiohttp

from gateway.headoffice import accounts
from gateway.headoffice.server import HeadOffice
from gateway.settings import HeadOfficeSettings


@dataclass
class Office:
    """A running head office with a reader's and a writer's token."""

    url: str
    settings: HeadOfficeSettings
    session: aiohttp.ClientSession
    reader: str
    writer: str

    @property
    def port(self):
        return int(self.url.rsplit(":", 1)[1])

    def add_store(self, store="store-1"):
        return accounts.add_store(self.settings, store)["token"]

    async def ask(self, method, path, token=None, **options):
        """(status, JSON) of one request; the reader's token unless another is given."""
        headers = {"Authorization": f"Bearer {token or self.reader}", **options.pop("headers", {})}
        async with self.session.request(method, self.url + path, headers=headers, **options) as response:
            content = await response.read()
            if "json" in response.content_type:
                return response.status, await response.json(content_type=None)
            return response.status, content

    async def get(self, path):
        status, body = await self.ask("GET", path)
        assert status == 200, body
        return body

    async def put(self, path, **options):
        return await self.ask("PUT", path, token=self.writer, **options)

    async def rows(self, store="store-1"):
        """All rows that are held, as (seq, at, kind, text, hash)."""
        found, after = [], 0
        while True:
            page = await self.get(f"/v1/stores/{store}/journal?after={after}&limit=500")
            found += [(row["seq"], row["at"], row["kind"], row["body"], row["hash"]) for row in page["items"]]
            if page["next"] is None:
                return found
            after = page["next"]


@contextlib.asynccontextmanager
async def open_office(folder, **settings):
    """Serve from a folder, which may hold an earlier one's file."""
    chosen = HeadOfficeSettings(path=folder, port=0, **settings)
    tokens = [accounts.make_token(chosen, role)["token"] for role in ("reader", "writer")]
    async with HeadOffice(chosen) as served, aiohttp.ClientSession() as session:
        yield Office(served.url, chosen, session, *tokens)


def as_held(rows):
    """Journal rows as `Office.rows` shows them."""
    return [(row.seq, row.at, row.kind, row.text, row.hash.hex()) for row in rows]
