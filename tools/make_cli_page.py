"""Write docs/cli.md, every command with its arguments and options, from the commands themselves.

    python tools/make_cli_page.py [--check]

Everything is read from the functions that are the commands, so that a new one is on the page without an edit here.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import typer
from typer.models import ArgumentInfo, OptionInfo

from tlm3d.cli import app

PAGE = Path(__file__).parents[1] / "docs" / "cli.md"
HEAD = """\
# Commands

Every command with its arguments and options. `tlm3d COMMAND --help` says the same in the terminal. Written by
`tools/make_cli_page.py` from the commands themselves, and a test compares the two.

{summary}

Exit codes: 0 all met, 1 a deadline or limit missed or not judged, 2 wrong input, 3 a bug of tlm3d, 130 interrupted.

{commands}

Before the command:

{options}

Every command has `--help`.
"""
BAR = r"\|"
WORDS = {int: "COUNT", float: "NUMBER", Path: "PATH"}  # what stands for a value where the option has no word of its own

Parameter = tuple[inspect.Parameter, Any, Any]  # the parameter, its type, what Typer is told about it


def parameters(function: Any) -> list[Parameter]:
    """The arguments and options of a command, in the order of its signature."""
    found = []
    for parameter in inspect.signature(function, eval_str=True).parameters.values():
        told = [
            m for m in getattr(parameter.annotation, "__metadata__", ()) if isinstance(m, ArgumentInfo | OptionInfo)
        ]
        if told and not told[0].hidden:
            found.append((parameter, get_args(parameter.annotation)[0], told[0]))
    return found


def only(annotation: Any) -> tuple[Any, bool]:
    """The type of one value, and whether there may be several: ``list[str] | None`` is (str, True)."""
    if get_origin(annotation) in (Union, UnionType):
        annotation = next(kind for kind in get_args(annotation) if kind is not type(None))
    if get_origin(annotation) is list:
        return get_args(annotation)[0], True
    return annotation, False


def word(kind: Any, told: Any) -> str:
    """What stands for the value: ``FILE``, ``low|high``."""
    if told.metavar:
        return str(told.metavar)
    if get_origin(kind) is Literal:
        return "|".join(map(str, get_args(kind)))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "|".join(str(member.value) for member in kind)
    return WORDS.get(kind, "TEXT")


def argument_word(parameter: inspect.Parameter, annotation: Any, told: Any) -> str:
    _, several = only(annotation)
    name = str(told.metavar or parameter.name.strip("_").upper()) + ("..." if several else "")
    return name if parameter.default is inspect.Parameter.empty else f"[{name}]"


def option_words(parameter: inspect.Parameter, annotation: Any, told: Any) -> str:
    """``--jobs COUNT``, ``--zip``, ``--out FILE, -o FILE``."""
    kind, _ = only(annotation)
    plain = parameter.name.strip("_").replace("_", "-")
    # Inside Annotated, Typer keeps the first name where the default would be.
    names = [name for name in (told.default, *(told.param_decls or ())) if str(name).startswith("-")]
    if kind is bool:
        names = names or [f"--{plain}/--no-{plain}"]
        return ", ".join(name.replace("/", ", ") for name in names)
    return ", ".join(f"{name} {word(kind, told)}" for name in names or [f"--{plain}"])


def meaning(parameter: inspect.Parameter, annotation: Any, told: Any) -> str:
    """The help text, with what else is to be known of the values."""
    kind, _ = only(annotation)
    parts = [" ".join((told.help or "").split())]
    if told.min is not None:
        parts.append(f"At least {told.min}.")
    if told.max is not None:
        parts.append(f"At most {told.max}.")
    default = parameter.default
    if default is inspect.Parameter.empty:
        parts += ["Required."] if isinstance(told, OptionInfo) else []
    elif told.show_default and kind is not bool and default not in (None, [], ()):
        parts.append(f"Default: {default.value if isinstance(default, Enum) else default}.")
    return " ".join(part for part in parts if part)


def table(title: str, rows: list[tuple[str, str]]) -> str:
    lines = [f"| {title} | |", "|---|---|", *(f"| `{name.replace('|', BAR)}` | {prose(text)} |" for name, text in rows)]
    return "\n".join(lines)


def prose(text: str) -> str:
    """Text as Markdown shows it unchanged, in a table too."""
    return text.replace("<", "&lt;").replace("*", r"\*").replace("|", BAR)


def section(path: str, info: Any, level: int) -> str:
    """One command: usage, what it does, arguments, options, examples."""
    found = parameters(info.callback)
    arguments = [p for p in found if isinstance(p[2], ArgumentInfo)]
    options = [p for p in found if isinstance(p[2], OptionInfo)]
    usage = " ".join([path, *(["[OPTIONS]"] if options else []), *(argument_word(*p) for p in arguments)])
    parts = [f"{'#' * level} {path}", f"    {usage}", prose(inspect.cleandoc(info.help or info.callback.__doc__ or ""))]
    if arguments:
        parts.append(table("argument", [(argument_word(*p), meaning(*p)) for p in arguments]))
    if options:
        parts.append(table("option", [(option_words(*p), meaning(*p)) for p in options]))
    shown = [line.removeprefix("  ") for line in (info.epilog or "").splitlines() if line.startswith("  ")]
    if shown:
        parts.append("Examples:\n\n" + "\n".join(f"    {line}" for line in shown))
    return "\n\n".join(parts)


def commands(group: typer.Typer, path: str = "tlm3d") -> Iterator[tuple[str, Any]]:
    """(full name, what Typer knows of it) of every command, those of groups included."""
    for info in group.registered_commands:
        if not info.hidden:
            yield f"{path} {info.name or info.callback.__name__.strip('_').replace('_', '-')}", info
    for nested in group.registered_groups:
        if not nested.hidden:
            yield from commands(nested.typer_instance, f"{path} {nested.name}")


def page() -> str:
    """The text of docs/cli.md."""
    found = list(commands(app))
    rows = [f"| [`{path}`](#{path.replace(' ', '-')}) | {prose(info.short_help)} |" for path, info in found]
    before = [(option_words(*p), meaning(*p)) for p in parameters(app.registered_callback.callback)]
    before += [
        ("--install-completion", "Install completion of commands and options for the current shell."),
        ("--show-completion", "Show that completion, to copy or change it."),
    ]
    summary = str(app.info.help).partition(" Exit code")[0]
    head = HEAD.format(
        summary=summary, commands="\n".join(["| command | |", "|---|---|", *rows]), options=table("option", before)
    )
    return "\n".join([head, *(section(path, info, 2) + "\n" for path, info in found)])


def main() -> int:
    parser = argparse.ArgumentParser(description="Write docs/cli.md from the commands.")
    parser.add_argument("--check", action="store_true", help="compare with the file on disk, write nothing")
    if not parser.parse_args().check:
        PAGE.write_text(page(), encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != page():
        print("docs/cli.md is not what tools/make_cli_page.py would write", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
