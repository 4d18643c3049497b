"""What holds for all tests."""

import signal


def pytest_configure(config):
    """Give pytest-xdist's workers, which ignore Ctrl-C, and thereby all they start, its usual handler back."""
    if hasattr(config, "workerinput"):
        signal.signal(signal.SIGINT, signal.default_int_handler)
