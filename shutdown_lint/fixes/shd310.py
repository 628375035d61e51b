"""SHD310: a signal handler gets parameters for the number and the frame that Python hands to it.

``args["line"]`` and ``args["column"]`` (1-based) are where the handler's name stands, or its ``lambda``; without them
the finding's span is the handler, or a call that has the handler's lambda for an argument. The handler is in the file
of the finding.

==============================  =================================================
before                          after
==============================  =================================================
``def h():``                    ``def h(signum=None, frame=None):``
``def h(self):`` in a class     ``def h(self, signum=None, frame=None):``
``def h(signum):``              ``def h(signum, frame=None):``
``lambda: stop()``              ``lambda *_: stop()``
==============================  =================================================

The defaults keep direct calls of the function valid. Checked here: no decorator but ``staticmethod`` and
``classmethod`` stands between the function and its name; the new names are not used in the function.
"""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst

from shutdown_lint.facts import Span
from shutdown_lint.findings import Edit
from shutdown_lint.fixes import names
from shutdown_lint.fixes.refusal import Refused
from shutdown_lint.fixes.tree import Tree, code_of

_NEW = ("signum", "frame")


def edits(tree: Tree, span: Span, args: Mapping[str, str]) -> list[Edit]:
    """Add the parameters that are missing."""
    handler = _handler(tree, span, args)
    if isinstance(handler.params.star_arg, cst.Param):
        raise Refused("the handler takes any number of arguments")
    return [_lambda(tree, handler)] if isinstance(handler, cst.Lambda) else [_function(tree, handler)]


def _handler(tree: Tree, span: Span, args: Mapping[str, str]) -> cst.FunctionDef | cst.Lambda:
    if args.get("line", "").isdigit() and args.get("column", "").isdigit():
        start = tree.offset(int(args["line"]), int(args["column"]))
    else:
        start = tree.offset(span.line, span.col)
        call = tree.at(span, cst.Call)
        inner = [arg.value for arg in call.args if isinstance(arg.value, cst.Lambda)] if call else []
        start = tree.range(inner[0])[0] if len(inner) == 1 else start
    for node in names.definitions(tree):
        if start in (tree.range(node.name)[0] if isinstance(node, cst.FunctionDef) else -1, tree.range(node)[0]):
            return node
    raise Refused("no handler stands here")


def _lambda(tree: Tree, handler: cst.Lambda) -> Edit:
    params = handler.params
    if params.posonly_params or params.kwonly_params or params.star_kwarg or len(params.params) > 1:
        raise Refused("the parameters of the lambda are not those of a handler")
    rest = next((name for name in ("_", "args", "_args") if not names.mentions(tree, handler, name)), None)
    if rest is None:
        raise Refused("the lambda uses the names that the new parameters would have")
    star = cst.Parameters(star_arg=cst.Param(cst.Name(rest)))
    if not params.params:
        start = tree.range(handler)[0] + len("lambda")
        return tree.edit(start, start, f" {code_of(star)}")
    if params.params[0].default is not None:
        raise Refused("the parameter of the lambda has a default: it is not the number of the signal")
    end = tree.range(params.params[0])[1]
    return tree.edit(end, end, f", {code_of(star)}")


def _function(tree: Tree, handler: cst.FunctionDef) -> Edit:
    missing = _missing(tree, handler)
    typed = handler.returns is not None or any(param.annotation for param in _positional(handler))
    text = code_of(cst.Parameters([_param(name, typed) for name in missing]))
    params = handler.params
    last = params.params[-1] if params.params else params.posonly_ind
    if isinstance(last, cst.CSTNode):
        end = _end(tree, last) if isinstance(last, cst.Param) else tree.range(last)[0] + len("/")
        return tree.edit(end, end, f", {text}")
    start = tree.text.index("(", tree.range(handler.type_parameters or handler.name)[1]) + 1
    return tree.edit(start, start, f"{text}, " if params.star_kwarg or params.kwonly_params else text)


def _end(tree: Tree, param: cst.Param) -> int:
    """Where a parameter with its annotation ends: its own range covers only the name."""
    following = param.comma if isinstance(param.comma, cst.Comma) else param.whitespace_after_param
    return tree.range(following)[0]


def _positional(handler: cst.FunctionDef) -> list[cst.Param]:
    return [*handler.params.posonly_params, *handler.params.params]


def _missing(tree: Tree, handler: cst.FunctionDef) -> list[str]:
    """The names of the parameters to add: both, or the second where the handler has one."""
    own = _positional(handler)
    if _is_method(tree, handler):
        if not own:
            raise Refused("the method has no `self`")
        own = own[1:]
    if len(own) > 1 or any(param.default is not None for param in own):
        raise Refused("the parameters are not those of a handler")
    missing = []
    for name in _NEW[len(own) :]:
        free = next((wish for wish in (name, f"_{name}") if not names.mentions(tree, handler, wish)), None)
        if free is None:
            raise Refused(f"the handler uses the name `{name}`")
        missing.append(free)
    return missing


def _is_method(tree: Tree, handler: cst.FunctionDef) -> bool:
    decorators = [names.code(decorator.decorator) for decorator in handler.decorators]
    if any(decorator not in ("staticmethod", "classmethod") for decorator in decorators):
        raise Refused("a decorator stands between the function and its name")
    return isinstance(names.scope_of(tree, handler), cst.ClassDef) and "staticmethod" not in decorators


def _param(name: str, typed: bool) -> cst.Param:
    """``name=None``, or ``name: object = None`` (PEP 8: spaces around the sign only with an annotation)."""
    annotation = cst.Annotation(cst.Name("object")) if typed else None
    space = cst.SimpleWhitespace(" " if typed else "")
    return cst.Param(
        cst.Name(name),
        annotation=annotation,
        default=cst.Name("None"),
        equal=cst.AssignEqual(space, space),
    )
