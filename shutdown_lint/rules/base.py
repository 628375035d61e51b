"""How a rule is declared.

A rule is one file ``rules/<family>/shdNNN_name.py`` with three things: a module docstring (the sections of the docs
page), ``RULE = Rule(...)``, and ``def check(module, project) -> Iterator[Finding]``, a pure generator.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, NamedTuple

from shutdown_lint.facts import ModuleFacts, Span
from shutdown_lint.findings import Confidence, Finding, Fix, Severity, Step, Tier

if TYPE_CHECKING:
    from shutdown_lint.deployment.facts import DeploymentFile


class Rule(NamedTuple):
    """The declaration of a rule.

    ``triggers`` are byte-substrings (given as ASCII text) without which the rule cannot fire in a file; files that
    hold none of any rule's triggers are never parsed. Words joined by `` & `` must all be there, and
    a part may be a regular expression (``re:…``); see ``shutdown_lint.prefilter``. ``fix`` is the best applicability that the rule can offer.
    """

    code: str
    name: str
    summary: str
    tier: Tier
    severity: Severity
    triggers: tuple[str, ...]
    fix: Literal["safe", "unsafe", "none"] = "none"
    since: str = "0.1.0"
    origin: tuple[str, ...] = ()

    def finding(
        self,
        module: ModuleFacts | DeploymentFile,
        span: Span,
        message: str,
        *,
        tier: Tier | None = None,
        severity: Severity | None = None,
        confidence: Confidence = "proven",
        lost: Iterable[Step] = (),
        trace: Iterable[Step] = (),
        help: str = "",
        fix: Fix | str | None = None,
    ) -> Finding:
        """A finding of this rule; tier and severity may differ from the rule's where the answer is less sure.

        In the place of a fix, a text tells why there is none.
        """
        return Finding(
            path=module.path,
            span=span,
            code=self.code,
            name=self.name,
            message=message,
            severity=severity or self.severity,
            tier=tier or self.tier,
            confidence=confidence,
            lost=tuple(lost),
            trace=tuple(trace),
            help=help,
            fix=None if isinstance(fix, str) else fix,
            unfixed=fix if isinstance(fix, str) else "",
        )
