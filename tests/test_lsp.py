"""The language server, spoken to by a client over its stdin and stdout as editors do."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from command import BAD, COMMAND, make_project

pytest.importorskip("pygls")

from lsprotocol import types
from pygls.lsp.client import LanguageClient

from shutdown_lint.cli import main

LIMIT = 60  # seconds
UNUSED = "x = 1  # noqa: SHD101\n"
HANDLER = "import signal\nimport sys\n\n\ndef stop():{}\n    sys.exit(1)\n\n\nsignal.signal(signal.SIGTERM, stop)\n"
CALLER = """\
import leave


def main():
    with open('pid', 'w') as pid:
        pid.write('1')
        leave.now()
"""
LEAVE = "import os\n\n\ndef now():\n    os._exit(3)\n"


class Editor:
    """An editor with open documents, which remembers what it was told about them."""

    def __init__(self, client: LanguageClient, folder: Path) -> None:
        self.client, self.folder = client, folder
        self.told: asyncio.Queue[types.PublishDiagnosticsParams] = asyncio.Queue()
        self.messages: asyncio.Queue[str] = asyncio.Queue()
        self.versions: dict[str, int] = {}

        @client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def told(params: types.PublishDiagnosticsParams) -> None:
            self.told.put_nowait(params)

        @client.feature(types.WINDOW_SHOW_MESSAGE)
        def shown(params: types.ShowMessageParams) -> None:
            self.messages.put_nowait(params.message)

        @client.feature(types.CLIENT_REGISTER_CAPABILITY)
        def registered(params: types.RegistrationParams) -> None:
            self.registered = [registration.method for registration in params.registrations]

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def open(self, name: str, text: str, language: str = "python") -> None:
        self.versions[name] = 1
        document = types.TextDocumentItem(self.uri(name), language, 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(document))

    def type(self, name: str, text: str) -> None:
        self.versions[name] += 1
        document = types.VersionedTextDocumentIdentifier(self.versions[name], self.uri(name))
        change = types.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))

    def document(self, name: str) -> types.TextDocumentIdentifier:
        return types.TextDocumentIdentifier(self.uri(name))

    def saved(self, name: str) -> None:
        change = types.FileEvent(self.uri(name), types.FileChangeType.Changed)
        self.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([change]))

    async def diagnostics(self, name: str) -> list[types.Diagnostic]:
        """What is said of the document as it is now."""
        while True:
            told = await asyncio.wait_for(self.told.get(), LIMIT)
            if told.uri == self.uri(name) and told.version == self.versions[name]:
                return list(told.diagnostics)

    async def actions(self, name: str, line: int, *only: str, column: int = 4) -> list[types.CodeAction]:
        place = types.Range(types.Position(line, column), types.Position(line, column))
        context = types.CodeActionContext([], only=[types.CodeActionKind(word) for word in only] or None)
        params = types.CodeActionParams(self.document(name), place, context)
        found = await asyncio.wait_for(self.client.text_document_code_action_async(params), LIMIT)
        return [action for action in found or () if isinstance(action, types.CodeAction)]


def edited(text: str, action: types.CodeAction, uri: str) -> str:
    """The text after the action, as an editor would change it."""
    assert action.edit and action.edit.changes
    lines = text.split("\n")
    for edit in sorted(
        action.edit.changes[uri], key=lambda edit: (edit.range.start.line, edit.range.start.character), reverse=True
    ):
        start, end = edit.range.start, edit.range.end
        head = _units(lines[start.line], 0, start.character)
        tail = _units(lines[end.line], end.character)
        lines[start.line : end.line + 1] = (head + edit.new_text + tail).split("\n")
    return "\n".join(lines)


def _units(line: str, start: int, end: int | None = None) -> str:
    """A part of the line by UTF-16 units, which the protocol counts in."""
    data = line.encode("utf-16-le")
    return data[start * 2 : None if end is None else end * 2].decode("utf-16-le")


def session(folder: Path, use: Callable[[Editor], Awaitable[None]]) -> None:
    """Start a server, use it, and end it as the protocol says."""

    async def run() -> None:
        client = LanguageClient("tests", "1")
        editor = Editor(client, folder)
        await client.start_io(*COMMAND, "server")
        watched = types.DidChangeWatchedFilesClientCapabilities(dynamic_registration=True)
        capabilities = types.ClientCapabilities(
            workspace=types.WorkspaceClientCapabilities(did_change_watched_files=watched)
        )
        params = types.InitializeParams(capabilities, root_uri=folder.as_uri())
        await asyncio.wait_for(client.initialize_async(params), LIMIT)
        client.initialized(types.InitializedParams())
        await use(editor)
        await asyncio.wait_for(client.shutdown_async(None), LIMIT)
        client.exit(None)
        await asyncio.wait_for(client._server.wait(), LIMIT)  # type: ignore[union-attr]
        await client.stop()

    asyncio.run(run())


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_project(tmp_path, monkeypatch)


def test_open_documents_are_checked_as_they_are_typed(project: Path) -> None:
    async def use(editor: Editor) -> None:
        editor.open("good.py", BAD)
        (found,) = await editor.diagnostics("good.py")
        assert (found.code, found.source, found.severity) == ("SHD107", "shutdown-lint", types.DiagnosticSeverity.Error)
        assert found.range == types.Range(types.Position(4, 8), types.Position(4, 16))
        assert found.code_description and found.code_description.href.endswith("/SHD107/")
        editor.type("good.py", "x = 1\n")
        assert await editor.diagnostics("good.py") == []
        editor.type("good.py", "def f(:\n")
        assert [found.code for found in await editor.diagnostics("good.py")] == ["SHD900"]

    session(project, use)
    assert (project / "good.py").read_text() == "x = 1\n", "nothing is ever written"


def test_the_project_is_known_and_so_are_other_buffers(project: Path) -> None:
    (project / "leave.py").write_text(LEAVE)
    (project / "main.py").write_text("import leave\n\n\ndef main():\n    leave.now()\n")

    async def use(editor: Editor) -> None:
        editor.open("leave.py", LEAVE)
        assert await editor.diagnostics("leave.py") == []
        editor.open("main.py", CALLER)
        (found,) = await editor.diagnostics("leave.py")
        assert found.code == "SHD101"
        related = {(item.location.uri, item.location.range.start.line) for item in found.related_information or ()}
        assert (editor.uri("main.py"), 4) in related, "what is lost, in the other document"
        editor.client.text_document_did_close(types.DidCloseTextDocumentParams(editor.document("main.py")))
        assert await editor.diagnostics("leave.py") == [], "the file on disk counts again"
        (project / "main.py").write_text(CALLER)
        editor.saved("main.py")
        assert [found.code for found in await editor.diagnostics("leave.py")] == ["SHD101"]
        (project / "main.py").unlink()
        editor.saved("main.py")
        assert await editor.diagnostics("leave.py") == []
        assert editor.registered == [types.WORKSPACE_DID_CHANGE_WATCHED_FILES]

    session(project, use)


def test_fixes_and_comments_are_offered(project: Path) -> None:
    text = f"s = '👋名'; {UNUSED}{BAD}"

    async def use(editor: Editor) -> None:
        editor.open("good.py", text)
        unused, swallowed = await editor.diagnostics("good.py")
        assert (unused.code, unused.range.start.character) == (
            "SHD910",
            len("s = '👋名'; x = 1  ".encode("utf-16-le")) // 2,
        )
        uri = editor.uri("good.py")
        place = types.Range(unused.range.start, unused.range.start)
        params = types.CodeActionParams(editor.document("good.py"), place, types.CodeActionContext([]))
        actions = await editor.client.text_document_code_action_async(params) or []
        fix = next(action for action in actions if isinstance(action, types.CodeAction) and action.is_preferred)
        assert edited(text, fix, uri) == text.replace("  # noqa: SHD101", "")
        (hide,) = await editor.actions("good.py", swallowed.range.start.line, "quickfix") or [None]
        assert hide is None or "SHD107" in hide.title

    session(project, use)


def test_a_comment_hides_a_finding(project: Path) -> None:
    async def use(editor: Editor) -> None:
        editor.open("good.py", BAD)
        await editor.diagnostics("good.py")
        params = types.CodeActionParams(
            editor.document("good.py"),
            types.Range(types.Position(4, 10), types.Position(4, 12)),
            types.CodeActionContext([]),
        )
        (hide,) = await editor.client.text_document_code_action_async(params) or []
        assert isinstance(hide, types.CodeAction) and hide.title == "Hide SHD107 here with a comment"
        editor.type("good.py", edited(BAD, hide, editor.uri("good.py")))
        assert await editor.diagnostics("good.py") == []

    session(project, use)


def test_unsafe_fixes_are_marked_and_never_preferred(project: Path) -> None:
    text = "import os\n\n\ndef main():\n    with open('pid', 'w') as pid:\n        os._exit(3)\n\n\nif __name__ == '__main__':\n    main()\n"

    async def use(editor: Editor) -> None:
        editor.open("good.py", text)
        (found,) = await editor.diagnostics("good.py")
        actions = await editor.actions("good.py", found.range.start.line, "quickfix", column=8)
        unsafe = next(action for action in actions if action.title.endswith("(unsafe: read what it changes)"))
        assert not unsafe.is_preferred and not any(action.is_preferred for action in actions)
        assert "sys.exit(3)" in edited(text, unsafe, editor.uri("good.py"))
        assert await editor.actions("good.py", 0, "source.fixAll") == []

    session(project, use)


def test_all_safe_fixes_of_a_file(project: Path) -> None:
    text = UNUSED + UNUSED

    async def use(editor: Editor) -> None:
        editor.open("good.py", text)
        assert len(await editor.diagnostics("good.py")) == 2
        (action,) = await editor.actions("good.py", 0, "source.fixAll")
        assert edited(text, action, editor.uri("good.py")) == "x = 1\nx = 1\n"
        assert await editor.actions("good.py", 0, "refactor") == []

    session(project, use)


def test_hovering_shows_the_rules_page(project: Path) -> None:
    async def use(editor: Editor) -> None:
        editor.open("good.py", BAD)
        await editor.diagnostics("good.py")
        at = types.HoverParams(editor.document("good.py"), types.Position(4, 10))
        hover = await editor.client.text_document_hover_async(at)
        assert hover and isinstance(hover.contents, types.MarkupContent)
        assert "SHD107 finally-swallows-exit" in hover.contents.value and "## Why it matters" in hover.contents.value
        elsewhere = types.HoverParams(editor.document("good.py"), types.Position(0, 0))
        assert await editor.client.text_document_hover_async(elsewhere) is None

    session(project, use)


def test_configurations_are_followed(project: Path) -> None:
    async def use(editor: Editor) -> None:
        editor.open("pyproject.toml", "not Python\n", "toml")
        editor.open("good.py", BAD)
        assert len(await editor.diagnostics("good.py")) == 1
        assert editor.told.empty()
        (project / "pyproject.toml").write_text("[tool.shutdown-lint]\nignore = ['SHD107']\n")
        editor.saved("pyproject.toml")
        assert await editor.diagnostics("good.py") == []
        (project / "pyproject.toml").write_text("[tool.shutdown-lint]\nslect = []\n")
        editor.saved("pyproject.toml")
        assert await editor.diagnostics("good.py") == []
        assert "unknown key `slect`" in await asyncio.wait_for(editor.messages.get(), LIMIT)
        (project / "pyproject.toml").write_text("[tool.shutdown-lint.severity]\nSHD1 = 'info'\n")
        editor.saved("pyproject.toml")
        (found,) = await editor.diagnostics("good.py")
        assert found.severity == types.DiagnosticSeverity.Information

    session(project, use)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_the_server(project: Path, signum: signal.Signals) -> None:
    process = subprocess.Popen(
        [*COMMAND, "server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        body = b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{}}}'
        assert process.stdin and process.stdout
        process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"Content-")
        process.send_signal(signum)
        assert process.wait(LIMIT) == -signum
    finally:
        process.kill()
        process.communicate()


def test_the_server_ends_with_its_client(project: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "server"], stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT, check=False
    )
    assert done.stdout == b"" and b"Traceback" not in done.stderr


def test_without_its_packages_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    for name in [name for name in sys.modules if name.startswith("shutdown_lint.lsp")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pygls", None)
    monkeypatch.setitem(sys.modules, "lsprotocol", None)
    assert main(["server"]) == 2
    assert "pip install 'shutdown-lint[lsp]'" in capsys.readouterr().err
