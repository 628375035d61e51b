"""The language server: an adapter between editors and the analysis. Needs the extra ``shutdown-lint[lsp]``.

===========  =============================================================
``session``  a project in memory: what is unchanged is not read again
``memory``   what was made of its files, from one check to the next
``convert``  findings to diagnostics
``actions``  fixes and comments to code actions
``server``   the protocol: documents, settings, when to check
===========  =============================================================
"""
