"""Keeps the emulator and every process it starts from outliving the program that asked for it."""

import os
import signal
import sys
import threading


def end_group() -> None:
    """Kill this process group, ourselves included: warm Lambdas and what they started are members."""
    os.killpg(0, signal.SIGKILL)


def _end_group_at_eof(fd: int) -> None:
    def watch() -> None:
        while os.read(fd, 4096):
            pass
        end_group()

    threading.Thread(target=watch, daemon=True).start()


def split() -> None:
    """Fork: the child returns and becomes the emulator, the parent stays behind as its guard.

    Standard input is a pipe whose other end our caller holds. The kernel closes it however the caller ends,
    SIGKILL included, so its end of file is the signal. A second pipe watches the guard itself. Fork happens
    before any thread and any import of the emulator, so the guard stays small.
    """
    if os.getpgrp() != os.getpid():
        sys.exit("start.py must lead a process group of its own (spawn it detached): ending it kills the group")
    watched, held = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(held)
        _end_group_at_eof(watched)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        return
    os.close(watched)
    _end_group_at_eof(0)
    os.waitpid(child, 0)
    end_group()
