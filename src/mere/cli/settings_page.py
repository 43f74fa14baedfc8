"""docs/settings.md, written from the settings' declarations: python -m mere.cli.settings_page > docs/settings.md"""

from __future__ import annotations

from mere.settings import FILE_NAME, OPTIONS, flag_of, variable_of

_HEAD = f"""\
# Settings

Each setting can be given in four places. The first that has it wins:

1. a flag of the command: `mere serve --threads 4`
2. an environment variable: `MERE_THREADS=4`
3. the file `{FILE_NAME}` in the data directory: `threads = 4`
4. the default

Times are written `30s`, `10min`, `12h` or `7d`, sizes `512MB` or `8GB` (powers of 1024, as in PostgreSQL). In
`{FILE_NAME}` they are strings; a setting that Mere does not know is an error, so that a misspelt one is noticed.

This page is written from the program by `make docs`.
"""


def render() -> str:
    parts = [_HEAD]
    group = ""
    for name, declared in OPTIONS.items():
        if declared.group != group:
            group = declared.group
            parts.append(f"\n## {group.capitalize()}\n")
        flag = f"`{flag_of(name)} {declared.metavar}`, " if declared.flag else "no flag; "
        file = "" if name == "data" else f", `{name}` in the file"
        places = f"{flag}`{variable_of(name)}`{file}"
        parts.append(f"\n### {name}\n\n{_sentence(declared.help)} Default: {declared.shown_default}.\n\n{places}\n")
    return "".join(parts)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


if __name__ == "__main__":
    print(render(), end="")
