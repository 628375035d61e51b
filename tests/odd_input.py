"""Odd input: what is expected, and the tests that ask for it. ``scripts/odd_input.py`` makes a page of it."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """An input, the exit code, what is told or done, and where it is tested: ``name`` or ``name[part of a case's id]``."""

    text: str
    code: str
    what: str
    tests: tuple[str, ...]


def content(*names: str) -> tuple[str, ...]:
    return tuple(f"test_content[{name}]" for name in names)


ROWS = {
    "Text": (
        Row("syntax error", "2", "`SHD900` with line and column; other files are checked", content("syntax error")),
        Row("syntax error below a hazard", "2", "`SHD900` only: half a file is not analysed", content("syntax error after a hazard")),
        Row("Python 2", "2", "`SHD900`, and that it looks like Python 2", content("python 2", "python 2 except")),
        Row("null bytes", "2", "`SHD900`, the offset of the first", content("nul byte", "only nul bytes")),
        Row("byte order mark", "1", "columns are as without it; a fix keeps it", (*content("bom"), "test_only_the_fixed_bytes_change")),
        Row("declared encoding", "1", "decoded by PEP 263; a fix writes the same encoding", (*content("latin-1 cookie"), "test_another_encoding_is_kept")),
        Row("other bytes than UTF-8, undeclared", "2", "`SHD902`, line and byte", content("latin-1 without cookie", "lone surrogate")),
        Row("unknown or contradicting encoding", "2", "`SHD902`, names it", content("unknown cookie", "rot13 cookie", "bom and another cookie")),
        Row("UTF-7, declared", "1", "read as Python reads it", content("utf-7 cookie")),
        Row("UTF-16", "2", "`SHD902`, says so", content("utf-16")),
        Row("line ends `\\r\\n`, `\\r`, mixed", "1", "lines are counted as Python does; a fix keeps those of the file", (*content("crlf", "cr", "mixed line ends"), "test_only_the_fixed_bytes_change")),
        Row("form feeds; separators that are no line ends", "1", "lines are counted as Python does", content("form feeds", "line separators in strings")),
        Row("no final line end; a backslash as the last byte", "1 or 2", "a fix adds no line end", (*content("no final newline", "backslash at the end"), "test_only_the_fixed_bytes_change")),
        Row("tabs; tabs and spaces mixed", "1 or 2", "as Python: mixed is `SHD900`", content("tabs", "tabs and spaces")),
        Row("empty, only a byte order mark, only a comment", "0", "nothing is said", content("empty", "only a bom", "comment without newline")),
        Row("bidirectional overrides", "1", "shown as `\\u202e` wherever the source is echoed", (*content("bidirectional overrides"), "test_escapes_are_shown")),
        Row("look-alike and compatibility letters", "0 or 1", "names are what they are for Python (NFKC)", content("homoglyph", "compatibility letters")),
    ),
    "Size and shape": (
        Row("very many lines", "1", "time is linear in them", content("20,000 lines")),
        Row("a line of a megabyte", "0", "an echo is cut around the place", (*content("a line of 1 MB"), "test_long_lines_are_cut_around_the_mark")),
        Row("a string of 5 MB", "0", "nothing looks back over it", content("a string of 5 MB", "a string of 1 MB of backslashes")),
        Row("1,000 nested brackets", "2", "`SHD900`, in Python's words", content("1,000 brackets")),
        Row("100,000 nested brackets", "2", "`SHD900` or `SHD903`; no parser dies of it", content("100,000 brackets", "100,000 brackets beside a hazard")),
        Row("1,000 nested blocks", "2", "`SHD900`, in Python's words", content("1,000 blocks")),
        Row("chains of thousands of links", "2", "`SHD903`, the line", content("sum of 50,000", "call chain of 5,000", "attribute chain of 3,000", "5,000 elifs", "5,000 minus signs", "5,000 times not", "3,000 powers", "2,000 conditions")),
        Row("thousands of functions that call each other", "0", "time is linear in them", content("5,000 functions")),
        Row("hundreds of findings in one file", "1", "all of them, in order", (*content("300 findings"), "test_thousands_of_findings_in_one_file_are_fixed_together")),
        Row("comments that are made to hold up a regex", "0", "time is linear in them", (*content("bait for suppressions"), "test_long_comments_are_read_in_linear_time")),
        Row("malformed or unknown suppressions", "1", "the finding stays, and `SHD912`", ("test_malformed_comments_are_told_and_hide_nothing",)),
        Row("a file above 10 MiB", "2", "`SHD903`", ("test_too_large",)),
    ),
    "Syntax": (
        Row("up to Python 3.13", "0 or 1", "read, whatever Python runs the linter", content("match", "generics", "except star", "quotes in f-string fields")),
        Row("newer than both parsers", "0 or 2", "`SHD900`: syntax that this version cannot read", ("test_syntax_of_the_future_is_read_or_told",)),
        Row("broken type comments", "0", "comments", content("type comments")),
        Row("what only the compiler refuses", "0", "read as it is", content("errors of the compiler only", "await outside")),
    ),
    "Kinds of files": (
        Row("notebook", "0 or 2", "left out of a walk; named, `SHD901`: not supported", ("test_notebooks_are_left_out_and_told_when_named",)),
        Row("stub (`.pyi`)", "0", "known by its names, nothing is reported in it", ("test_stubs_are_never_reported_on",)),
        Row("binary file, Git LFS pointer, template named `.py`", "2", "`SHD900` without an echo of bytes", content("binary", "elf", "lfs pointer", "template")),
        Row("merge conflict", "2", "`SHD900`, and that it is one", content("merge conflict")),
        Row("folder named `x.py`", "0", "walked", ("test_folder_named_like_a_module",)),
        Row("links that lead in circles", "0", "links to folders are not followed", ("test_links_to_folders_are_not_followed",)),
        Row("link that leads nowhere", "0 or 2", "in a walk a warning; named, `SHD901`", ("test_dangling_link_is_told_when_named_and_a_warning_in_a_walk",)),
        Row("link out of the project", "0 or 1", "read when named, else left out; never written to", ("test_links_to_files_stay_inside_the_root", "test_a_link_out_of_the_project_is_not_written_to")),
        Row("two names of one file (hard links)", "1", "reported under both, fixed once, still one file", ("test_a_hard_link_is_fixed_once_and_stays_one_file",)),
        Row("no permission to read", "2", "`SHD901`, in the system's words", ("test_unreadable_file_and_folder", "test_a_folder_that_cannot_be_listed")),
        Row("pipe, socket, device", "2", "`SHD901`, at once: none is opened", ("test_things_that_are_no_files",)),
        Row("the same in the place of a configuration", "2", "told, at once", ("test_only_regular_files_are_opened", "test_a_configuration_that_is_waited_for_is_told")),
    ),
    "Names": (
        Row("not UTF-8", "1", "shown as `\\xff`; JSON and SARIF stay valid", ("test_odd_names[bad]", "test_json_stays_valid_and_free_of_lone_surrogates", "test_sarif_paths_are_uris")),
        Row("terminal escapes, line ends, commands of CI systems", "1", "escaped, in every format", ("test_names_of_files_act_on_nothing",)),
        Row("markup", "1", "escaped, in every format", ("test_names_of_files_act_on_nothing", "test_any_text_leaves_every_format_whole")),
        Row("like an option (`--fix.py`)", "1", "`--` ends the options; what a walk finds is none", ("test_paths_that_look_like_flags", "test_odd_names[fix]")),
        Row("one file by several spellings", "1", "reported once", ("test_one_file_by_three_spellings",)),
        Row("path that is not there", "2", "`SHD901`; the others are checked", ("test_missing_path",)),
        Row("nothing to check", "0", "a warning on stderr", ("test_nothing_to_check_is_a_warning",)),
    ),
    "Configuration": (
        Row("broken, not UTF-8, with a byte order mark", "2", "file, line, column", ("test_broken_files_are_told_with_their_place",)),
        Row("wrong type, unknown key", "2", "the key, what it must be, a near name; all mistakes at once", ("test_mistakes_are_told_with_file_key_and_type", "test_all_mistakes_are_told_at_once")),
        Row("unknown rule", "2", "a near name", ("test_wrong_usage_is_told_on_stderr",)),
        Row("`extend` in a circle, or of nothing", "2", "the chain of files", ("test_a_circle_is_told_with_its_files",)),
        Row("thousands of nested arrays or dotted keys", "2", "told, at once", ("test_broken_files_are_told_with_their_place", "test_a_key_of_very_many_parts_ends_soon")),
        Row("names code to load", "2", "an unknown key; nothing is imported", ("test_a_configuration_names_no_code",)),
        Row("models with wrong values", "2", "file and entry, all mistakes at once", ("test_models_with_mistakes_are_told",)),
        Row("`.gitignore` with patterns that hold up a regex", "1", "matched in linear time", ("test_patterns_that_no_regex_engine_comes_to_an_end_with",)),
    ),
    "Cache": (
        Row("junk, of another version, torn", "1", "rebuilt", ("test_a_damaged_file_is_rebuilt", "test_damaged_entries_are_found_out", "test_another_version_reads_nothing")),
        Row("a file, a link, somebody else's, read-only", "1", "one warning, and no cache", ("test_a_cache_that_was_put_there_as_a_link_is_not_followed", "test_another_users_cache_is_not_trusted", "test_a_folder_that_cannot_be_used_is_told_once")),
        Row("modules of the standard library shadowed", "1", "nothing of the current folder is imported", ("test_the_current_folder_is_never_imported_from", "test_linted_files_are_never_run")),
    ),
    "Deployment files": (
        Row("YAML: bomb of aliases, tags", "0", "never unfolded, never built", ("test_alias_bomb_is_not_unfolded", "test_yaml_tags_build_nothing")),
        Row("YAML: nested without end, not well formed", "2", "`SHD903` or `SHD900` with line and column", ("test_trouble_is_told_with_its_place",)),
        Row("Helm and Jinja templates", "0", "left out, with a note", ("test_templates_are_left_out_with_a_note",)),
        Row("YAML: wrong types, empty values", "0", "nothing is concluded", ("test_odd_files_are_taken_as_they_are[compose]",)),
        Row("Dockerfile of 50,000 lines, open heredocs, broken JSON forms", "0", "read as Docker reads them", ("test_odd_files_are_taken_as_they_are[Dockerfile]",)),
    ),
    "Circumstances": (
        Row("file changes or goes between check and fix", "2", "left alone, and told", ("test_a_file_that_changed_in_the_meantime_is_left_alone", "test_a_file_that_was_removed_in_the_meantime_does_not_come_back")),
        Row("file goes during a check", "2", "`SHD901` for it", ("test_a_file_that_goes_away",)),
        Row("read-only file, full disk, size limit, when fixing", "2", "the file is as it was, nothing is left beside it", ("test_a_write_that_fails_leaves_the_file_and_nothing_else", "test_a_disk_limit_leaves_the_file_whole")),
        Row("SIGKILL when fixing", "–", "each file is old or new", ("test_kill_in_the_midst_of_a_write_leaves_the_file_whole", "test_killed_at_any_moment_every_file_is_old_or_new")),
        Row("stdout closed or full", "2", "one line on stderr", ("test_a_full_stdout_is_one_line_on_stderr", "test_a_closed_stdout_is_one_line_on_stderr")),
        Row("reader of stdout leaves", "SIGPIPE", "nothing is said", ("test_a_reader_that_leaves_early_is_no_error",)),
        Row("Ctrl-C, SIGTERM, SIGHUP, SIGPIPE", "by the signal", "at once, nothing is left", ("test_in_the_midst_of_the_work_a_signal_leaves_nothing_behind", "test_no_worker_outlives_the_run")),
        Row("a process of the linter dies", "2", "`SHD904` names the file; no finding is lost", ("test_a_worker_that_dies_once_costs_no_finding_and_is_told", "test_the_file_in_hand_is_named_where_rules_are_run")),
        Row("a process dies on a file each time", "2", "`SHD903` for it; the others are checked", ("test_a_file_on_which_workers_die_costs_itself_only",)),
        Row("several runs at once", "the same", "the same output, a whole cache", ("test_processes_at_once",)),
        Row("few descriptors, little memory", "the same or 2", "told", ("test_few_descriptors_change_nothing", "test_little_memory_is_told")),
        Row("no shared memory (`/dev/shm`)", "the same", "none is used", ("test_no_shared_memory_is_used",)),
        Row("current folder removed", "the same", "", ("test_working_folder_that_was_removed",)),
        Row("`LC_ALL=C`, output in ASCII", "the same", "other characters are shown as escapes", ("test_any_locale_will_do",)),
    ),
}  # fmt: skip
