"""Speed, ours against the peers': `python -m tests.benchmarks` (see `make bench`)."""
