"""What a named person confirmed about a plan: levels, side and landmarks, from arguments or from an answer file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import yaml

from foramen.errors import InputError
from foramen.model.plan import Confirmation


def confirmation(
    *, by: str = "", levels: str = "", side: bool = False, landmarks: bool = False, answers: str | Path | None = None
) -> Confirmation | None:
    """What a named person confirmed, from the arguments or from an answer file; None if nothing was.

    Parameters
    ----------
    by : str
        Who confirmed; a confirmation without a name is refused.
    levels : str
        How the levels were counted.
    side, landmarks : bool
        Whether side and landmarks were confirmed.
    answers : path, optional
        YAML file with the keys ``by``, ``levels``, ``side``, ``landmarks`` instead of the arguments.

    Raises
    ------
    InputError
        If something is confirmed without a name, or the answer file is damaged or has other keys.
    """
    if answers is not None:
        return _answered(Path(answers))
    if not (levels or side or landmarks):
        return None
    if not by.strip():
        raise InputError("A confirmation needs a name. Add --by with the name of the person who confirmed.")
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    return Confirmation(by=by.strip(), at=now, levels=levels.strip(), side=side, landmarks=landmarks)


def _answered(path: Path) -> Confirmation | None:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as failure:
        raise InputError(f"The answer file {path} cannot be read: {failure}.") from failure
    allowed = {"by": str, "levels": str, "side": bool, "landmarks": bool}
    if not isinstance(content, dict) or not set(content) <= set(allowed):
        raise InputError(f"The answer file {path} may have the keys {', '.join(allowed)} and no others.")
    for key, value in content.items():
        if not isinstance(value, allowed[key]):
            raise InputError(
                f"{path}: {key} must be {'text' if allowed[key] is str else 'true or false'}, not {value!r}."
            )
    return confirmation(**content)
