"""Ends a command on Ctrl-C, SIGTERM and SIGHUP by an exception, so that children and files are cleaned up."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType

__all__ = ["TerminatedError", "unwind_on_signals"]

_PATIENCE = 5.0
_MOMENT = 0.02


class TerminatedError(BaseException):
    """SIGTERM or SIGHUP has come: unwind, so that children and temporary files are cleaned up, and end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class _Unwinding:
    """The handler: raises once, when what runs lets an exception through."""

    def __init__(self, *, waits: bool) -> None:
        self._waits = waits
        self._again = 0.0
        self._postponed: int | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if time.monotonic() < self._again:
            return
        if self._waits and _importing(frame):
            # Modules in C clear what is raised while they are set up, or say that they cannot be imported.
            self._postponed = number
            signal.setitimer(signal.ITIMER_REAL, _MOMENT)
            return
        self._again = time.monotonic() + _PATIENCE
        raise KeyboardInterrupt if number == signal.SIGINT else TerminatedError(number)

    def resume(self, _: int, frame: FrameType | None) -> None:
        """Deliver a signal that was put off, to whoever handles it by now."""
        if _importing(frame):
            signal.setitimer(signal.ITIMER_REAL, _MOMENT)
        elif self._postponed is not None:
            number, self._postponed = self._postponed, None
            signal.raise_signal(number)


def unwind_on_signals() -> None:
    """Let SIGTERM, and a terminal that closes, clean up like Ctrl-C; what nohup has ignored stays ignored.

    Whoever presses Ctrl-C twice would cut the cleaning up short, and leave folders behind: for a few seconds after a
    signal another one does nothing. A signal in the middle of an import waits for its end.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    waits = signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
    unwind = _Unwinding(waits=waits)
    if waits:
        signal.signal(signal.SIGALRM, unwind.resume)
    defaults = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
        signal.SIGHUP: signal.SIG_DFL,
    }
    for number, default in defaults.items():
        if signal.getsignal(number) is default:
            signal.signal(number, unwind)


def _importing(frame: FrameType | None) -> bool:
    while frame and not frame.f_code.co_filename.startswith("<frozen importlib"):
        frame = frame.f_back
    return frame is not None
