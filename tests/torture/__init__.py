"""The long reliability runs: `python -m tests.torture --help`. Short versions run in the gate as `test_*.py`."""
