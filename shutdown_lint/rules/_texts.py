"""Pieces of triggers that several rules share: what text must hold where a finding of theirs can stand.

A comment may stand between a bracket and what follows, which is why ``#`` stands beside each ``)``.
"""

from __future__ import annotations

# a handler is installed, or handed to a function of the project that says so by its name
SIGNALS = (r"re:SIG[A-Z]", r"re:signal(?:\w*\(| as\b)", r"signal & re:import[^\n]*\bsignal\b")
# `join` of a worker: neither of a string literal nor of paths
JOIN = r"re:\.join\((?<=[\w\])]\.join\()(?<!path\.join\()"
JOIN_WITH_LIMIT = r"re:\.join\((?<=[\w\])]\.join\()(?<!path\.join\()\s*[^)\s#]"
# a wait that no limit is given to; a list of pieces to be joined is no limit either
ENDLESS = r"re:\.(?:join|wait|result|exception)\(\s*(?:[)#-]|None|timeout)"
# a function that runs at shutdown by its name (waits/_stops.py) or registration
STOPS = (
    r"re:def _*(?:async_)?(?:do_|on_|handle_|graceful_|force_|wait_)?(?:close|aclose|stop|shutdown|shut_down|terminate|disconnect|"
    r"quit|cleanup|clean_up|teardown|tear_down|dispose|finish|finalize|destroy|halt|unsubscribe|kill|exit|flush|drain|deinit|"
    r"server_close)(?:_\w+|d|all)?\b",
    r"re:def (?:__(?:exit|aexit|del)__|stopService|tearDown)",
    "atexit",
    "finalize",
)
# the same, or a place that an exit passes
ON_WAY_OUT = (*STOPS, "finally", "KeyboardInterrupt", "SystemExit")
# calls that end something (swallowed/_steps.py)
RELEASE = (
    r"re:\.(?:_?(?:async_)?(?:close|stop|shutdown|shut_down|disconnect|teardown|cleanup|clean_up|terminate|kill|unregister|release)"
    r"(?:_\w+)?|\w+_(?:close|stop|shutdown|cleanup|disconnect)|aclose|dispose|quit|abort|wait_closed|cancel|unlink|rollback|detach|"
    r"logout|log_out|commit|deregister|unsubscribe|leave|flush|server_close|shutdown_asyncgens|(?<=[\w\])]\.)(?<!path\.)join)\("
)
AWAITED_NAME = r"await & re:await\s+(?:[A-Za-z_][\w.]*(?![\w.(\[])|\()"
# a wait for what workers do
WAITS_FOR_WORK = (
    JOIN, ".shutdown(", ".result(", AWAITED_NAME, "wait(", "gather(", "as_completed(", "Executor("
)  # fmt: skip
ENDINGS = "close|aclose|stop|shutdown|terminate|disconnect|wait_closed|cleanup|server_close|join|cancel|kill|quit|dispose|flush"
THREAD = r"re:Thread(?!Pool|Local)"
PROCESS = (r"re:Process(?:(?!or|ing|Pool|Lookup)\w*\s*\(|\b\s*[,)]| as)", r"Process & re:import[^\n]*Process")
