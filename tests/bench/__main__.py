"""`./run bench [P1|P2|P3] [--quick] [--data DIR] [--json FILE]`: benchmarks, as ratios within one run.

Each figure is one JSON line on standard output; the table for people goes to standard error. Exit status 1 when a bar
is missed, 2 when no honest figure can be taken here.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.bench import growth, measures
from tests.bench.figures import NotAMeasurementError, Report, say
from tests.bench.postgresql import MissingError

NAMES = ("P1", "P2", "P3")


def arguments():
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="P1|P2|P3", help="all of them when left out")
    parser.add_argument("--quick", action="store_true", help="short rounds; P3 with 200 000 documents")
    parser.add_argument("--rounds", type=int, help="rounds of each comparison (default 7, quick 3)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path, default=Path(), help="a folder on the disk to be measured; P3 wants 12 GB")
    parser.add_argument("--json", type=Path, help="append the figures to this file")
    given = parser.parse_args()
    given.names = [name.upper() for name in given.names] or list(NAMES)
    unknown = sorted(set(given.names) - set(NAMES))
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(NAMES)}")
    return given


def main():
    given = arguments()
    rounds = given.rounds or (3 if given.quick else 7)
    measure_s = 2.0 if given.quick else 4.0
    with tempfile.TemporaryDirectory(prefix="bench-", dir=given.data.resolve(), ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL's own user has to get to its part
        try:
            report = Report(folder, given.json, seed=given.seed)
            for measure in given.names:
                own = folder / measure
                own.mkdir(mode=0o755)
                settings = {"rounds": rounds, "measure_s": measure_s, "seed": given.seed}
                if measure == "P1":
                    measures.throughput(report, own, **settings)
                elif measure == "P2":
                    measures.latency(report, own, **settings)
                else:
                    many = growth.MANY_QUICK if given.quick else growth.MANY
                    growth.growth(report, own, many=many, **{**settings, "rounds": min(rounds, 3)})
        except (NotAMeasurementError, MissingError) as error:
            say(str(error))
            return 2
        return 0 if report.show() else 1


if __name__ == "__main__":
    sys.exit(main())
