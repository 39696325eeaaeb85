"""The long reliability runs, judged by `gateway verify` at both ends and by a judge that is not ours.

Each run prints one JSON line; the last line is the verdict over all. A run that fails is named with its seed and the
command that replays it.
"""

import argparse
import asyncio
import json
import secrets
import shlex
import sys
import traceback

from tests.torture import faults, power, selling
from tests.torture.selling import Size

RUNS = ("gateway", "office", "both", "power", "fsync", "full")
POWER = {"promises": 1800, "states": 240}
POWER_QUICK = {"promises": 120, "states": 40}


def main():
    parser = argparse.ArgumentParser(prog="./run torture", description=__doc__.splitlines()[0])
    parser.add_argument("--tills", type=int, default=20)
    parser.add_argument("--baskets", type=int, default=1000, help="for each till")
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--quick", action="store_true", help="a minute instead of ten")
    parser.add_argument("--only", choices=RUNS, action="append", help="may be given many times")
    options = parser.parse_args()
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    size = Size(6, 40, 2, seed) if options.quick else Size(options.tills, options.baskets, options.kills, seed)
    print(json.dumps({"seed": seed, "tills": size.tills, "baskets": size.baskets, "kills": size.kills}), flush=True)
    results = [_told(tried(name, size, quick=options.quick), name, options, seed) for name in options.only or RUNS]
    failed = [each["run"] for each in results if each["ok"] is False]
    skipped = [each["run"] for each in results if each["ok"] is None]
    print(json.dumps({"verdict": "failed" if failed else "ok", "seed": seed, "failed": failed, "skipped": skipped}))
    return 1 if failed else 0


def tried(name, size, *, quick):
    """One run; one that breaks down has failed."""
    try:
        return one(name, size, quick=quick)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is shown, and the other runs have their turn
        traceback.print_exc()
        return {"run": name, "ok": False, "error": f"{type(error).__name__}: {error}"}


def one(name, size, *, quick):
    """One run by its name."""
    if name == "gateway":
        return asyncio.run(selling.run(size, name=name, blows=[selling.gateway_killed]))
    if name == "office":
        return asyncio.run(selling.run(size, name=name, blows=[selling.office_killed]))
    if name == "both":
        return asyncio.run(selling.run(size, name=name, blows=[selling.gateway_killed, selling.office_killed]))
    why = power.missing() if name == "power" else faults.missing()
    if why:
        return {"run": name, "ok": None, "why": why}
    if name == "power":
        return power.run(**(POWER_QUICK if quick else POWER), seed=size.seed)
    return asyncio.run(faults.run({"fsync": "fsync fails", "full": "disk is full"}[name], seed=size.seed))


def _told(found, name, options, seed):
    found["run"] = name
    if found["ok"] is False:
        sizes = ["--quick"] if options.quick else []
        if not options.quick:
            sizes = [f"--tills={options.tills}", f"--baskets={options.baskets}", f"--kills={options.kills}"]
        found["replay"] = shlex.join(["./run", "torture", f"--only={name}", f"--seed={seed}", *sizes])
    print(json.dumps(found), flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
