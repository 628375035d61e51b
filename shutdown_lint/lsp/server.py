"""The protocol: which documents are open, when they are checked, what is answered about them."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls import uris
from pygls.lsp.server import LanguageServer
from pygls.workspace import TextDocument

from shutdown_lint import __version__, config
from shutdown_lint.adoption import AdoptionError
from shutdown_lint.lsp.actions import FIX_ALL, fix_all, quick_fixes
from shutdown_lint.lsp.convert import SOURCE, Converter, overlap
from shutdown_lint.lsp.session import Session
from shutdown_lint.report.view import lines_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shutdown_lint.findings import Finding

PAUSE = 0.2  # seconds without typing before a check
REST = 1.0  # seconds without typing before what checks have left behind is collected
_MOST_LEFT = 8  # checks that leave something behind before it is collected in any case
_STACK = 64 << 20  # bytes: the analysis recurses as deep as in the main thread
_WATCHED = ("**/*.py", "**/*.pyi", "**/pyproject.toml", "**/shutdown-lint.toml", "**/.shutdown-lint.toml")


class Server(LanguageServer):
    """The server's state: sessions by configuration, and what was last found in each open document."""

    def __init__(self) -> None:
        super().__init__("shutdown-lint", __version__)
        self.found: dict[str, list[tuple[Finding, types.Diagnostic]]] = {}
        self._sessions: dict[str, Session] = {}
        self._told: dict[str, str] = {}
        threading.stack_size(_STACK)
        self._worker = ThreadPoolExecutor(1, "analysis")
        self._waiting: asyncio.TimerHandle | None = None
        self._resting: asyncio.TimerHandle | None = None
        self._left = 0
        self._running: asyncio.Task[None] | None = None
        self._again = False
        self._loop: asyncio.AbstractEventLoop | None = None

    # --- when ---

    def soon(self) -> None:
        """Check all open documents, once nobody has typed for a moment."""
        self._cancel_timers()
        self._waiting = asyncio.get_running_loop().call_later(PAUSE, self._begin)

    def _cancel_timers(self) -> None:
        for timer in (self._waiting, self._resting):
            if timer is not None:
                timer.cancel()

    def _begin(self) -> None:
        if self._running is not None and not self._running.done():
            self._again = True  # what runs now is out of date when it ends
            return
        self._again, self._loop = False, asyncio.get_running_loop()
        self._running = asyncio.get_running_loop().create_task(self._check())

    async def _check(self) -> None:
        texts = {path: document.source for path, document in self._documents().items()}
        versions = {path: document.version for path, document in self._documents().items()}
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._worker, self._findings, texts)
        except RuntimeError:  # the server is closing
            return
        for path, findings in found.items():
            self._publish(path, findings, versions.get(path))
        self._left += 1
        if self._again:
            self._begin()
        self._rest_soon()

    def _rest_soon(self) -> None:
        """Collecting stops all threads for a moment: it is done while nobody types."""
        if self._resting is not None:
            self._resting.cancel()
        pause = REST if self._left < _MOST_LEFT else 0
        self._resting = asyncio.get_running_loop().call_later(pause, self._rest)

    def _rest(self) -> None:
        self._left = 0
        with suppress(RuntimeError):  # the server is closing
            self._worker.submit(gc.collect)

    def close(self) -> None:
        """Begin nothing more; what runs ends by itself, and soon."""
        self._cancel_timers()
        self._again = False
        self._worker.shutdown(wait=False, cancel_futures=True)

    # --- what ---

    def _documents(self) -> dict[str, TextDocument]:
        """The open Python files, by absolute path: clients may send whatever they have open."""
        documents = ((uris.to_fs_path(uri), document) for uri, document in self.workspace.text_documents.items())
        return {os.path.abspath(path): document for path, document in documents if path and _is_python(document)}

    def _findings(self, texts: dict[str, str]) -> dict[str, tuple[Finding, ...]]:
        """Runs in the worker's thread, the only one that touches sessions."""
        by_session: dict[str, tuple[Session, dict[str, str]]] = {}
        out: dict[str, tuple[Finding, ...]] = dict.fromkeys(texts, ())
        for path, text in texts.items():
            session = self._session(path)
            if session is not None:
                by_session.setdefault(session.settings.root, (session, {}))[1][path] = text
        for session, buffers in by_session.values():
            try:
                out.update((path, found) for path, found in session.check(buffers).items() if path in texts)
            except AdoptionError as error:
                self._tell(session.settings.root, str(error))
        return out

    def _session(self, path: str) -> Session | None:
        """The session of the project that the file is in; None where its configuration is wrong."""
        root = config.find_root([path])
        try:
            if root.folder not in self._sessions:
                layer = config.find([path])
                settings = config.to_settings(config.rebase(layer, root.folder), root)._replace(jobs=1)
                self._sessions[root.folder] = Session(settings)
        except config.ConfigError as error:
            self._tell(root.folder, str(error))
            return None
        self._told.pop(root.folder, None)
        return self._sessions[root.folder]

    def _tell(self, root: str, message: str) -> None:
        """Show a message, once until it changes. Called in the worker's thread; only the loop's may write."""
        if self._told.get(root) != message and self._loop is not None:
            self._told[root] = message
            shown = types.ShowMessageParams(types.MessageType.Error, f"shutdown-lint: {message}")
            self._loop.call_soon_threadsafe(self.window_show_message, shown)

    def forget(self, configuration: bool) -> None:
        """Files have changed on disk: read the configuration anew, or look for files anew."""
        if configuration:
            self._worker.submit(self._sessions.clear)
        else:
            self._worker.submit(self._look_again)
        self.soon()

    def _look_again(self) -> None:
        for session in self._sessions.values():
            session.files_changed()

    # --- answers ---

    def converter(self) -> Converter:
        """Converts places in open documents and in files."""
        return Converter(self.workspace.position_codec, self._lines)

    def _lines(self, path: str) -> Sequence[str]:
        document = self._documents().get(os.path.abspath(path))
        if document is not None:
            return lines_of(document.source)
        from shutdown_lint.source import TroubleError, read_text

        try:
            return lines_of(read_text(path))
        except TroubleError:
            return ()

    def _publish(self, path: str, findings: Sequence[Finding], version: int | None) -> None:
        document = self._documents().get(path)
        if document is None or document.version != version:
            return  # closed or changed meanwhile: a check of what it is now follows
        converter = self.converter()
        pairs = [(finding, converter.diagnostic(finding)) for finding in findings]
        self.found[document.uri] = pairs
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(document.uri, [diagnostic for _, diagnostic in pairs], version)
        )

    def at(self, uri: str, place: types.Range) -> list[tuple[Finding, types.Diagnostic]]:
        """What was found at the place."""
        return [pair for pair in self.found.get(uri, ()) if overlap(pair[1].range, place)]


def create() -> Server:
    """A server with its handlers."""
    server = Server()

    @server.feature(types.INITIALIZED)
    def initialized(server: Server, _params: types.InitializedParams) -> None:
        capabilities = server.client_capabilities.workspace
        watched = capabilities.did_change_watched_files if capabilities else None
        if watched and watched.dynamic_registration:
            options = types.DidChangeWatchedFilesRegistrationOptions(
                watchers=[types.FileSystemWatcher(glob_pattern=glob) for glob in _WATCHED]
            )
            method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
            registration = types.Registration(id="files", method=method, register_options=options)
            server.client_register_capability(types.RegistrationParams([registration]))

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(server: Server, _params: types.DidOpenTextDocumentParams) -> None:
        server.soon()

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(server: Server, _params: types.DidChangeTextDocumentParams) -> None:
        server.soon()

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(server: Server, params: types.DidSaveTextDocumentParams) -> None:
        server.forget(configuration=params.text_document.uri.endswith(".toml"))

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(server: Server, params: types.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        server.found.pop(uri, None)
        server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))
        server.soon()

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def files_changed(server: Server, params: types.DidChangeWatchedFilesParams) -> None:
        server.forget(configuration=any(change.uri.endswith(".toml") for change in params.changes))

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hover(server: Server, params: types.HoverParams) -> types.Hover | None:
        found = server.at(params.text_document.uri, types.Range(params.position, params.position))
        if not found:
            return None
        pages = {finding.code: _page(finding) for finding, _ in found}
        content = types.MarkupContent(types.MarkupKind.Markdown, "\n\n---\n\n".join(pages.values()))
        return types.Hover(contents=content, range=found[0][1].range)

    kinds = types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix, FIX_ALL])

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, kinds)
    def actions(server: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
        return _actions(server, params)

    @server.feature(types.SHUTDOWN)
    def shutdown(server: Server, _params: None) -> None:
        server.close()

    return server


def _is_python(document: TextDocument) -> bool:
    return document.language_id == "python" or document.uri.endswith((".py", ".pyi", ".pyw"))


def _page(finding: Finding) -> str:
    from shutdown_lint.rules import registry

    entry = registry.find(finding.code)
    text = registry.doc(entry) if entry else finding.message
    return f"**{SOURCE} [{finding.code} {finding.name}]({finding.url})**\n\n{text}"


def _actions(server: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
    uri = params.text_document.uri
    document = server.workspace.get_text_document(uri)
    path, wanted = os.path.abspath(document.path), params.context.only
    out: list[types.CodeAction] = []
    if _asked(types.CodeActionKind.QuickFix.value, wanted):
        found = server.at(uri, params.range)
        out += quick_fixes(path, document.source, uri, found, server.converter())
    if _asked(FIX_ALL, wanted):
        findings = [finding for finding, _ in server.found.get(uri, ())]
        action = fix_all(path, document.source, uri, findings, server.converter())
        out += [action] if action else []
    return out


def _asked(kind: str, wanted: Sequence[types.CodeActionKind | str] | None) -> bool:
    """Whether the client wants actions of the kind; ``source.fixAll`` stands for all that begin with it."""
    if not wanted:
        return True
    names = [str(getattr(word, "value", word)) for word in wanted]
    return any(kind == name or kind.startswith(f"{name}.") for name in names)
