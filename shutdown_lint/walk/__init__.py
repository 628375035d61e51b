"""Walking over facts: statements with their surroundings, expressions, and where the result of a call goes.

All functions are pure. Beware of ``==`` between expressions: records are tuples, and a ``Name("x")`` equals a
``Const("x")``; use ``same``.
"""

from shutdown_lint.walk.expressions import (
    argument,
    children,
    dotted,
    has_star,
    last_name,
    root_name,
    same,
    stands_in,
    subexprs,
    text,
    unawaited,
    unnegated,
)
from shutdown_lint.walk.sites import (
    Site,
    Survey,
    exprs,
    lambdas,
    loop_over,
    mentioning,
    occurrences,
    sites,
    sites_at,
    survey,
    yields,
)
from shutdown_lint.walk.statements import (
    At,
    enclosing_finally,
    enclosing_loops,
    enclosing_with,
    line_of,
    own_exprs,
    parts_of,
    walk,
    what_runs_after,
)

__all__ = [
    "At",
    "Site",
    "Survey",
    "argument",
    "children",
    "dotted",
    "enclosing_finally",
    "enclosing_loops",
    "enclosing_with",
    "exprs",
    "has_star",
    "lambdas",
    "last_name",
    "line_of",
    "loop_over",
    "mentioning",
    "occurrences",
    "own_exprs",
    "parts_of",
    "root_name",
    "same",
    "sites",
    "sites_at",
    "stands_in",
    "subexprs",
    "survey",
    "text",
    "unawaited",
    "unnegated",
    "walk",
    "what_runs_after",
    "yields",
]
