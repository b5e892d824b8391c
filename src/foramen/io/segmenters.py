"""Programs of others that label a scan, run on this machine where the user has them and asks for it.

Foramen downloads nothing. A program may fetch its own weights at its first run; it is started only when it is asked
for by name.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from foramen.errors import ImageError, InputError
from foramen.io.label_reading import LabelSource
from foramen.io.nifti import image_bytes
from foramen.model.space import Volume

SCAN_FILE = "scan.nii.gz"
OUTPUT = "labels"

_POLL_S = 0.2
_GRACE_S = 5.0
_TAIL_LINES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentationProgram:
    """How a program is called and what it writes.

    Parameters
    ----------
    id, name : str
        As on the command line of Foramen, and as its authors write it.
    executable, variable : str
        Its name on PATH, and the environment variable that may name it instead.
    arguments : tuple of str
        After the executable; ``{scan}`` and ``{out}`` stand for the scan's file and for a place to write to.
    output : str
        Label file that it leaves, below the working folder.
    scheme : str
        Scheme of the label file.
    install : str
        How to get it.
    """

    id: str
    name: str
    executable: str
    variable: str
    arguments: tuple[str, ...]
    output: str
    scheme: str
    install: str


PROGRAMS = (
    # https://github.com/wasserth/TotalSegmentator README.md, "Advanced settings" (--ml: one file with all labels), and
    # totalsegmentator/bin/TotalSegmentator.py (-i, -o, -ml, -ta)
    SegmentationProgram(
        id="totalsegmentator",
        name="TotalSegmentator",
        executable="TotalSegmentator",
        variable="FORAMEN_TOTALSEGMENTATOR",
        arguments=("-i", "{scan}", "-o", "{out}.nii.gz", "--ml", "--task", "total"),
        output=f"{OUTPUT}.nii.gz",
        scheme="totalsegmentator_v2",
        install="pip install TotalSegmentator",
    ),
    # https://github.com/neuropoly/totalspineseg README.md, "Inference" (totalspineseg INPUT OUTPUT_FOLDER) and
    # "Output Data Structure" (step2_output)
    SegmentationProgram(
        id="totalspineseg",
        name="TotalSpineSeg",
        executable="totalspineseg",
        variable="FORAMEN_TOTALSPINESEG",
        arguments=("{scan}", "{out}"),
        output=f"{OUTPUT}/step2_output/{SCAN_FILE}",
        scheme="totalspineseg",
        install="see https://github.com/neuropoly/totalspineseg",
    ),
)
"""Programs that can be run, the preferred one first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmenter:
    """A program that is there, and how long it may take."""

    program: SegmentationProgram
    path: Path
    timeout_s: float


def find_segmenter(name: str, *, path: Path | None = None, timeout_s: float) -> Segmenter:
    """The program of that name: at `path`, where its environment variable says, or on PATH.

    Raises
    ------
    InputError
        If the name is not known, or the program is not there or cannot be run.
    """
    program = next((p for p in PROGRAMS if p.id == name.lower()), None)
    if program is None:
        raise InputError(f"--segment {name!r} is not known. It may be {' or '.join(p.id for p in PROGRAMS)}.")
    if timeout_s <= 0:
        raise InputError("--segment-timeout-min must be above 0.")
    found = _there(program, path)
    if found is None:
        where = path or os.environ.get(program.variable) or f"{program.executable} on PATH"
        raise InputError(
            f"{program.name} is not there ({where}). Install it ({program.install}), name it with --segment-program or "
            f"{program.variable}, or make labels elsewhere and give them with --labels."
        )
    return Segmenter(program=program, path=found, timeout_s=timeout_s)


def _there(program: SegmentationProgram, path: Path | None = None) -> Path | None:
    named = str(path or os.environ.get(program.variable) or program.executable)
    found = shutil.which(named)
    return Path(found).absolute() if found else None


def require_labels(scan: Path) -> None:
    """Always raises `InputError`: what to do where no labels are given, with the exact commands."""
    there = [program for program in PROGRAMS if _there(program) is not None]
    words = [f"--segment {program.id} runs {program.name}, which is installed here" for program in there]
    if not there:
        words = [_commands(program, scan) for program in PROGRAMS]
    raise InputError(
        "No labels were given, and Foramen does not guess anatomy. Either "
        + "; or ".join(words)
        + ". Other label maps are described in docs/labels.md."
    )


def _commands(program: SegmentationProgram, scan: Path) -> str:
    given = " ".join((program.executable, *program.arguments)).format(scan=scan, out=OUTPUT)
    made = program.output.replace(SCAN_FILE, scan.name if scan.name.endswith(".nii.gz") else SCAN_FILE)
    return f"install {program.name} ({program.install}), run `{given}` and give `--labels {made}:{program.scheme}`"


@contextlib.contextmanager
def segmented(
    image: Volume, segmenter: Segmenter, *, progress: Callable[[str, float], None] | None = None
) -> Iterator[LabelSource]:
    """A label file of a scan that a program makes in a temporary folder, which is there until the context ends.

    Raises
    ------
    ImageError
        If the program cannot be started, fails, takes too long, or leaves no label file; with its last words.
    """
    program = segmenter.program
    with tempfile.TemporaryDirectory(prefix="foramen-segment-") as name:
        folder = Path(name)
        (folder / SCAN_FILE).write_bytes(image_bytes(image))
        places = {"scan": str(folder / SCAN_FILE), "out": str(folder / OUTPUT)}
        command = [str(segmenter.path), *(argument.format(**places) for argument in program.arguments)]
        with (folder / "log.txt").open("wb") as log:
            _run(command, segmenter, folder, log.fileno(), progress)
        if not (folder / program.output).is_file():
            raise ImageError(
                f"{program.name} ended without writing its labels ({program.output}). {_last_words(folder)}"
                "Run it by hand and give its labels with --labels."
            )
        yield LabelSource(path=folder / program.output, scheme=program.scheme)


def _run(
    command: list[str], segmenter: Segmenter, folder: Path, log: int, progress: Callable[[str, float], None] | None
) -> None:
    name = segmenter.program.name
    started = time.monotonic()
    try:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    except OSError as failure:
        raise ImageError(f"{name} ({command[0]}) cannot be started: {failure}.") from failure
    try:
        while process.poll() is None:
            elapsed_s = time.monotonic() - started
            if elapsed_s > segmenter.timeout_s:
                raise ImageError(
                    f"{name} was stopped after {segmenter.timeout_s / 60:g} minutes (--segment-timeout-min). "
                    f"{_last_words(folder)}Give it more time, or run it by hand and give its labels with --labels."
                )
            if progress is not None:
                progress(f"{name} is labelling the scan, {elapsed_s:.0f} s", elapsed_s / segmenter.timeout_s)
            time.sleep(_POLL_S)
    finally:
        _end(process)
    if process.returncode != 0:
        raise ImageError(
            f"{name} failed (exit code {process.returncode}). {_last_words(folder)}"
            "Run it by hand until it works, and give its labels with --labels."
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the program and whatever it started in its own session."""
    for kind in (signal.SIGTERM, signal.SIGKILL):  # the second also ends children that outlive the program
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, kind)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_S)


def _last_words(folder: Path) -> str:
    text = (folder / "log.txt").read_text(encoding="utf-8", errors="replace").replace("\r", "\n")
    lines = [line.strip() for line in text.splitlines() if line.strip()][-_TAIL_LINES:]
    return f"Its last words: {' / '.join(lines)} " if lines else ""
