"""What an administrator may ask of a gateway, for the command line and for head-less set-ups."""

from collections.abc import AsyncIterator
from typing import Any, ClassVar, cast
from urllib.parse import quote

from gateway.client.patience import ONCE, Patience
from gateway.client.till import Till
from gateway.client.values import Pairing


class Admin(Till):
    """A till's questions and the administrator's word. Without other patience every request is tried once."""

    PATIENCE: ClassVar[Patience] = ONCE

    async def ranges(self) -> AsyncIterator[dict[str, Any]]:
        """All authorised ranges in the order in which they were loaded."""
        async for item in self._items("/v1/admin/ranges", {}):
            yield item

    async def load_range(self, identity: str, body: dict[str, Any]) -> dict[str, Any]:
        """Take an authorised range in, under an id of the caller's making."""
        return cast(dict[str, Any], await self.ask("PUT", f"/v1/admin/ranges/{quote(identity, safe='')}", body))

    async def cancel_range(self, identity: str, reason: str) -> dict[str, Any]:
        """Stop using a range; its tail becomes an unused span."""
        path = f"/v1/admin/ranges/{quote(identity, safe='')}/cancel"
        return cast(dict[str, Any], await self.ask("PUT", path, {"reason": reason}))

    async def confirm_series(self, series: str, last_number: int, reason: str) -> dict[str, Any]:
        """Say which number is the last that exists on paper; opens a locked series."""
        body = {"last_number": last_number, "reason": reason}
        return cast(dict[str, Any], await self.ask("PUT", f"/v1/admin/series/{quote(series, safe='')}/confirm", body))

    async def unlock_tenure(self, reason: str) -> dict[str, Any]:
        """Say that these books are the right ones; numbering goes on."""
        return cast(dict[str, Any], await self.ask("PUT", "/v1/admin/tenure/unlock", {"reason": reason}))

    async def tills(self) -> AsyncIterator[dict[str, Any]]:
        """All tills by name, revoked ones too."""
        for item in (await self.ask("GET", "/v1/admin/tills"))["items"]:
            yield item

    async def make_till(self, name: str) -> Pairing:
        """A paired till at once; one of that name gets new secrets, and its old ones are dead."""
        return cast(Pairing, await self.ask("PUT", f"/v1/admin/tills/{quote(name, safe='')}"))

    async def revoke_till(self, name: str) -> dict[str, Any]:
        """Turn a till away from now on."""
        return cast(dict[str, Any], await self.ask("DELETE", f"/v1/admin/tills/{quote(name, safe='')}"))

    async def pairing_code(self) -> dict[str, Any]:
        """A pairing code for a new till; the one before it is dead."""
        return cast(dict[str, Any], await self.ask("POST", "/v1/admin/pairing-codes"))

    async def import_catalogue(self, csv: str, *, dry_run: bool = False) -> dict[str, Any]:
        """Put a CSV file of products in, whole or not at all."""
        query = {"dry_run": "true" if dry_run else "false"}
        answer = await self.ask(
            "POST", "/v1/admin/catalogue", csv.encode(), query=query, headers={"Content-Type": "text/csv"}
        )
        return cast(dict[str, Any], answer)

    async def export_catalogue(self) -> str:
        """The catalogue as CSV."""
        return str(await self.ask("GET", "/v1/admin/catalogue", headers={"Accept": "text/csv"}))

    async def verify(self) -> dict[str, Any]:
        """Audit the books of the running gateway now."""
        return cast(dict[str, Any], await self.ask("POST", "/v1/admin/verify"))
