"""The benchmarks: every figure is a ratio within one run, against a named other side measured in that same run."""
