"""JSON as the format has it: UTF-8, no name twice, no control character in a text."""

import json
import unicodedata

from .faults import Refused


def json_object(data, what):
    """The object that `data` is."""
    def fields(pairs):
        if len({name for name, _ in pairs}) < len(pairs):
            raise Refused(f"{what} names a field twice")
        return dict(pairs)

    try:
        value = json.loads(data.decode(), object_pairs_hook=fields)
    except (ValueError, RecursionError) as fault:
        raise Refused(f"{what} is no JSON: {fault}") from fault
    if not isinstance(value, dict):
        raise Refused(f"{what} is no JSON object")
    return value


def refuse_control_characters(value):
    """Refuses any text in `value`, however deep, that has a character of Unicode category Cc."""
    if isinstance(value, str) and any(unicodedata.category(character) == "Cc" for character in value):
        raise Refused(f"{value!r} has a control character")
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list):
        for part in value:
            refuse_control_characters(part)
