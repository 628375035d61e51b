"""The fix that lets an owner's stop method end what it started, and what must be known for it."""

from __future__ import annotations

from shutdown_lint.facts import Const, ModuleFacts
from shutdown_lint.findings import Fix
from shutdown_lint.project import Cls, Fn, Project
from shutdown_lint.project.protocol import Loop, Wait
from shutdown_lint.project.resources import Acquisition
from shutdown_lint.project.tracks import Attribute, Track
from shutdown_lint.rules._told import is_event, is_flag, stop_value
from shutdown_lint.rules.work._common import owner, stop_methods


def join_fix(module: ModuleFacts, acquisition: Acquisition, track: Track, project: Project, code: str) -> Fix | str:
    """Tell the thread to end and join it, in the stop method of the class that keeps it."""
    held, stop = _owner_and_stop(module, track, project)
    if held is None or stop is None:
        return "no object in this file keeps it and has a method to stop by"
    bodies = project.resources.bodies(acquisition)
    loops = project.resources.loops(acquisition)
    if acquisition.model.name != "threading.Thread" or not bodies:
        return "what it runs is not known"
    if any(stop in project.protocol.reach(body) for body in bodies):
        return f"the thread itself may call `{stop.qualname}`"
    flag = _flag(loops, held.cls, project)
    if loops and flag is None:
        return "its loop tests no flag or event of the same object"
    if any(not wait.bounded and not _is_wait_for(wait, flag) for loop in loops for wait in loop.waits):
        return "its loop may wait without limit for something else"
    told = not loops or project.protocol.tells(stop, [flag]) if flag is not None else True
    tell = "" if told or flag is None else _tell(flag, loops, project)
    if tell is None:
        return "it is not known which value of the flag ends the loop"
    guard = _guard(held, track, project)
    if guard is None:
        return f"`self.{held.name}` may not be there when it is stopped"
    place = _place(stop)
    args = (*place, ("thread", held.name), ("flag", flag.name if flag else ""), ("tell", tell), ("guard", guard))
    return Fix("unsafe", f"{'tell it to end and ' if tell else ''}join it in `{stop.qualname}`", code.lower(), args)


def shutdown_fix(module: ModuleFacts, track: Track, project: Project) -> Fix | str:
    """Shut the executor down in the stop method of the class that keeps it."""
    held, stop = _owner_and_stop(module, track, project)
    if held is None or stop is None:
        return "no object in this file keeps it and has a method to stop by"
    guard = _guard(held, track, project)
    if guard is None:
        return f"`self.{held.name}` may not be there when it is stopped"
    args = (*_place(stop), ("executor", held.name), ("guard", "none" if guard == "none" else ""))
    return Fix("unsafe", f"shut it down in `{stop.qualname}`", "shd204", args)


def _owner_and_stop(module: ModuleFacts, track: Track, project: Project) -> tuple[Attribute | None, Fn | None]:
    """The attribute that keeps the object, and the method of the very class that ends it; in this file, and no coroutine."""
    held = owner(project, track)
    if held is None or held[1].contains or len(track.attribute_places()) != 1 or track.escaped:
        return None, None
    cls, place = held
    for stop in stop_methods(project, cls):
        is_ours = stop.cls is cls and stop.module is module and stop.self_name == "self"
        if is_ours and not stop.facts.is_async and not stop.facts.is_generator and not stop.decorator_names:
            return (place, stop) if stop.name not in ("__del__", "join", "kill") else (None, None)
    return None, None


def _place(stop: Fn) -> tuple[tuple[str, str], ...]:
    return (("line", str(stop.facts.span.line)), ("column", str(stop.facts.span.col)))


def _flag(loops: tuple[Loop, ...], cls: Cls, project: Project) -> Attribute | None:
    """The one flag or event of the class that every loop tests."""
    family = project.classes.family(cls)
    names = [
        {p.name: p for p in loop.tests if isinstance(p, Attribute) and p.cls in family and is_flag(project, p)}
        for loop in loops
    ]
    shared = set.intersection(*map(set, names)) if names else set()
    return names[0][shared.pop()] if len(shared) == 1 else None


def _is_wait_for(wait: Wait, flag: Attribute | None) -> bool:
    """``self._stop.wait()``; sleeps end by themselves."""
    receiver = getattr(wait.site.call.func, "value", None)
    return wait.model.call == "time.sleep" or (flag is not None and getattr(receiver, "name", "") == flag.name)


def _tell(flag: Attribute, loops: tuple[Loop, ...], project: Project) -> str | None:
    """``set`` for an event that ends the loop when it is set, else the value to write; None where that is not known."""
    values = {stop_value(loop, flag.name) for loop in loops}
    value = values.pop() if len(values) == 1 else None
    if value is None:
        return None
    if is_event(project, flag):
        return "set" if value else None
    return str(value)


def _guard(held: Attribute, track: Track, project: Project) -> str | None:
    """What to test before: ``none`` (it may be None), ``alive`` (it may not be started yet), or nothing; None: unknown."""
    writes = project.classes.writes(held.cls, held.name)
    if not any(write.fn.name == "__init__" for write in writes):
        return None
    if any(isinstance(write.value, Const) and write.value.value is None for write in writes):
        return "none"
    starts = {use.fn.name for use in track.methods("start")}
    return "" if starts <= {"__init__"} else "alive"
