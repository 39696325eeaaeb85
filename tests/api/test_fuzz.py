"""schemathesis asks everything the OpenAPI document allows, and much that it forbids, of the running server.

`FUZZ_SEED=n` repeats a run, `FUZZ_EXAMPLES=n` makes it longer.
"""

import asyncio
import os
import random
import re
import sys
from pathlib import Path

import pytest

from gateway.api.parts import Limits
from gateway.authority.audit import verify_books
from tests.api.store import open_store

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "12"))
WAIT_S = 240
LEFT_OUT = {
    "events": "a stream has no end; its own tests read it",
    "verify_by_get": "an audit is a process of its own; half a second each",
    "verify_by_post": "the same",
}


@pytest.mark.timeout(WAIT_S + 20)
@pytest.mark.parametrize("who", ["front-1", "admin"])
async def test_nothing_that_can_be_asked_breaks_the_gateway_or_the_document(tmp_path, who):
    seed = int(os.environ.get("FUZZ_SEED", "0")) or random.randrange(1, 2**31)
    again = f"FUZZ_SEED={seed} FUZZ_EXAMPLES={EXAMPLES} ./run test tests/api/test_fuzz.py"
    print(again)
    async with open_store(tmp_path / "store", limits=Limits(wrong_attempts_max=10**9)) as store:
        status, said = await _fuzzed(store, who, seed, tmp_path)
    assert status == 0, said
    assert int(re.search(r"(\d+) generated", said).group(1)) > 500, said
    assert verify_books(tmp_path / "store").is_sound


async def _fuzzed(store, who, seed, folder):
    """(exit status, output) of a whole run."""
    config = folder / "schemathesis.toml"
    config.write_text(CONFIG, encoding="utf-8")
    left_out = [option for name in LEFT_OUT for option in ("--exclude-operation-id", name)]
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("schemathesis")),
        "--config-file",
        str(config),
        "run",
        f"{store.url}/v1/openapi.json",
        "--header",
        f"Authorization: {store.headers(who)['Authorization']}",
        "--seed",
        str(seed),
        "--max-examples",
        str(EXAMPLES),
        "--phases",
        "examples,coverage,fuzzing,stateful",
        "--generation-database",
        "none",
        "--no-color",
        "--continue-on-failure",
        "--request-timeout",
        "20",
        *left_out,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(WAIT_S):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, said.decode(errors="replace")


CONFIG = """
[checks]
# A request of the right shape may still be refused by the books: an unknown SKU, a series without a range.
positive_data_acceptance.expected-statuses = ["2xx", 401, 403, 404, 409, 422]

[[operations]]
# There is no head office in this test, and `no_connection` is the documented answer.
include-operation-id = "sync"
checks.not_a_server_error.expected-statuses = ["2xx", "4xx", 503]
checks.positive_data_acceptance.expected-statuses = ["2xx", "4xx", 503]

[[operations]]
# Any text is a text; what is wrong in it is the answer to a dry run.
include-operation-id-regex = "import_catalogue_.*"
checks.negative_data_rejection.enabled = false
"""
