"""Doing the same with many things in parallel: worker processes that can die without harm, and that never outlive the run.

Workers are forked where that is safe (one thread, POSIX), so that they begin with everything loaded; with other threads
alive they are fresh interpreters, isolated from the current folder (a linted ``re.py`` is never imported). All workers
of a round read chunk numbers from one shared pipe and write results to a pipe of their own, so the outcome does not
depend on who did what. A worker that dies costs the item that it had in hand; that item gets one more try, alone.

On the way out, whatever the reason, all workers are killed and reaped. They hold nothing that a kill could damage. When
the parent is killed, the kernel ends them (Linux), or the first write to the broken pipe does.
"""

from __future__ import annotations

from shutdown_lint.workers.pool import Died, cores, spread
from shutdown_lint.workers.process import may_fork

__all__ = ["Died", "cores", "may_fork", "spread"]
