"""Items on a Dask cluster that is named by the address of its scheduler."""

from __future__ import annotations

from collections.abc import Generator, Mapping

from foramen.errors import InputError
from foramen.jobs.outcome import Item, Outcome, Work, attempt

PATIENCE_SECONDS = 10
"""How long a scheduler may take to answer."""


def on_dask(function: Work, items: Mapping[str, Item], *, address: str) -> Generator[tuple[str, Outcome], None, None]:
    """(id, outcome) of every item, computed by the workers of a Dask cluster.

    The scheduler itself gives an item whose worker dies to another one, a few times
    (``distributed.scheduler.allowed-failures``). What is not finished is withdrawn when the generator ends.

    Raises
    ------
    InputError
        If Dask is not installed, or no scheduler answers at the address.
    """
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise InputError("Dask is not installed. Run `pip install 'foramen[dask]'`, or use local workers.") from None
    try:
        client = Client(address, timeout=PATIENCE_SECONDS, set_as_default=False)
    except (OSError, ValueError) as failure:
        raise InputError(
            f"No Dask scheduler answers at {address!r} ({failure}). Give an address such as tcp://host:8786."
        ) from failure
    with client:
        futures = {client.submit(attempt, function, item, pure=False): key for key, item in items.items()}
        try:
            for future in as_completed(list(futures), loop=client.loop):
                error = future.exception()
                yield (
                    futures[future],
                    future.result() if error is None else Outcome(failure=f"{type(error).__name__}: {error}"),
                )
        finally:
            client.cancel(list(futures))
