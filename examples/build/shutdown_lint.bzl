"""Bazel: one action for the facts of each source file, one test that checks the facts of a target and what it depends on.

In a BUILD file:

    load("//tools:shutdown_lint.bzl", "shutdown_lint_test")

    shutdown_lint_test(name = "app_shutdown", deps = [":app"])

`//tools:shutdown-lint` is a py_binary or an entry point of the package `shutdown-lint`, at one version.
"""

load("@rules_python//python:defs.bzl", "PyInfo")

_Facts = provider(doc = "Files of facts of a target and of all that it depends on.", fields = ["files"])

def _facts_impl(target, ctx):
    made = []
    for source in ctx.rule.files.srcs if hasattr(ctx.rule.files, "srcs") else []:
        if not source.is_source or source.extension != "py":
            continue
        out = ctx.actions.declare_file("{}.facts/{}.facts".format(target.label.name, source.path))
        ctx.actions.run(
            executable = ctx.executable._lint,
            arguments = ["facts", source.path, "--jobs", "1", "--out", out.path.removesuffix("/" + source.path + ".facts")],
            inputs = [source],
            outputs = [out],
            mnemonic = "ShutdownFacts",
            progress_message = "Reading %{input}",
        )
        made.append(out)
    below = [dep[_Facts].files for dep in getattr(ctx.rule.attr, "deps", []) if _Facts in dep]
    return [_Facts(files = depset(made, transitive = below))]

_facts = aspect(
    implementation = _facts_impl,
    attr_aspects = ["deps"],
    attrs = {"_lint": attr.label(default = "//tools:shutdown-lint", executable = True, cfg = "exec")},
)

def _test_impl(ctx):
    facts = depset(transitive = [dep[_Facts].files for dep in ctx.attr.deps])
    listed = " ".join(["'{}'".format(file.short_path) for file in facts.to_list()])
    script = ctx.actions.declare_file(ctx.label.name + ".sh")
    ctx.actions.write(script, "exec {} check --facts {}\n".format(ctx.executable._lint.short_path, listed), is_executable = True)
    runfiles = ctx.runfiles(files = ctx.files.config, transitive_files = facts)
    return [DefaultInfo(executable = script, runfiles = runfiles.merge(ctx.attr._lint[DefaultInfo].default_runfiles))]

shutdown_lint_test = rule(
    implementation = _test_impl,
    test = True,
    attrs = {
        "deps": attr.label_list(providers = [PyInfo], aspects = [_facts]),
        "config": attr.label_list(allow_files = True, doc = "pyproject.toml or shutdown-lint.toml at the root"),
        "_lint": attr.label(default = "//tools:shutdown-lint", executable = True, cfg = "target"),
    },
)
