"""The latch that signal handlers set."""

from __future__ import annotations

import subprocess
import sys
import threading

from drmkit.latch import Latch

STORM = """
import signal
from drmkit.latch import Latch

for _ in range(200):
    latch = Latch()
    for number in (signal.SIGALRM, signal.SIGUSR1):
        signal.signal(number, lambda *_: latch.set())
    signal.setitimer(signal.ITIMER_REAL, 1e-5, 1e-5)
    latch.wait()
    for _ in range(50):
        signal.raise_signal(signal.SIGUSR1)
    signal.setitimer(signal.ITIMER_REAL, 0)
print("through")
"""


def test_signals_that_interrupt_each_other_set_it() -> None:
    """Handlers that interrupt the wait and one another end it: an event would hang on the lock that it holds itself."""
    done = subprocess.run([sys.executable, "-c", STORM], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "through\n")


def test_a_long_wait_is_ended_too() -> None:
    """The wait goes on for as long as nothing sets it, and ends when something does."""
    latch = Latch()
    timer = threading.Timer(0.8, latch.set)  # longer than one look
    timer.start()
    assert latch.wait()
    assert timer.finished.is_set()


def test_it_stays_set() -> None:
    """What is set once ends every wait, also of other threads; what is not, none."""
    latch = Latch()
    assert not latch.wait(0)
    threading.Thread(target=latch.set).start()
    assert latch.wait()
    assert (latch.wait(), latch.wait(0)) == (True, True)
