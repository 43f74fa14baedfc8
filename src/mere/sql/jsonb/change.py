"""Changed jsonb values: jsonb_set, jsonb_insert, #-, jsonb_strip_nulls. Pure, over one value; segments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from mere.sql.jsonb.document import Json, JsonError
from mere.sql.jsonb.places import INDEX

How = Literal["replace", "create", "before", "after", "delete"]


def changed(value: Json, path: Sequence[str | None], new: Json, how: How) -> Json:
    """setPath(): the value with the place at `path` replaced, created, inserted or deleted."""
    if not isinstance(value, dict | list):
        verb = "delete" if how == "delete" else "set"
        raise JsonError("22023", f"cannot {verb} path in scalar")
    if not path or (not value and how in ("replace", "delete")):
        return value
    return _in(value, path, 0, new, how)


def _in(value: Json, path: Sequence[str | None], level: int, new: Json, how: How) -> Json:
    step = path[level]
    if step is None:
        raise JsonError("22004", f"path element at position {level + 1} is null")
    if isinstance(value, dict):
        return _in_object(value, step, path, level, new, how)
    if isinstance(value, list):
        return _in_array(value, step, path, level, new, how)
    return value


def _in_object(value: dict[str, Json], key: str, path: Sequence[str | None], level: int, new: Json, how: How) -> Json:
    last = level == len(path) - 1
    made = dict(value)
    if not last:
        if key in made:
            made[key] = _in(made[key], path, level + 1, new, how)
        return made
    if key not in made:
        if how in ("create", "before", "after"):
            made[key] = new
    elif how in ("before", "after"):
        raise JsonError("22023", "cannot replace existing key")
    elif how == "delete":
        del made[key]
    else:
        made[key] = new
    return made


def _in_array(value: list[Json], step: str, path: Sequence[str | None], level: int, new: Json, how: How) -> Json:
    if not INDEX.match(step):
        raise JsonError("22P02", f'path element at position {level + 1} is not an integer: "{step}"')
    index, last = int(step), level == len(path) - 1
    if index < 0:
        index = index + len(value) if index + len(value) >= 0 else -1
    made = list(value)
    if not last:
        if 0 <= index < len(made):
            made[index] = _in(made[index], path, level + 1, new, how)
        return made
    if 0 <= index < len(made):
        if how == "delete":
            del made[index]
        elif how in ("replace", "create"):
            made[index] = new
        else:
            made.insert(index + (how == "after"), new)
    elif how not in ("delete", "replace"):
        made.insert(0 if index < 0 else len(made), new)
    return made


def without_nulls(value: Json, in_arrays: bool) -> Json:
    """jsonb_strip_nulls(): members that are null go, at any depth; elements only when asked for."""
    if isinstance(value, dict):
        return {key: without_nulls(member, in_arrays) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        return [without_nulls(member, in_arrays) for member in value if member is not None or not in_arrays]
    return value


def concatenated(left: Json, right: Json) -> Json:
    """||: the members of both objects, those of the right before those of the left; else one array of both."""
    if isinstance(left, dict) and isinstance(right, dict):
        return {**left, **right}
    one: list[Json] = left if isinstance(left, list) else [left]
    other: list[Json] = right if isinstance(right, list) else [right]
    return one + other


def without_keys(value: Json, keys: Sequence[str | None]) -> Json:
    """- of texts: members of an object, strings of an array."""
    gone = set(keys)
    if isinstance(value, dict):
        return {key: member for key, member in value.items() if key not in gone}
    if isinstance(value, list):
        return [member for member in value if not (isinstance(member, str) and member in gone)]
    raise JsonError("22023", "cannot delete from scalar")


def without_index(value: Json, index: int) -> Json:
    """- of an integer: one element of an array, from its end when negative."""
    if isinstance(value, dict):
        raise JsonError("22023", "cannot delete from object using integer index")
    if not isinstance(value, list):
        raise JsonError("22023", "cannot delete from scalar")
    return [member for place, member in enumerate(value) if place not in (index, index + len(value))]
