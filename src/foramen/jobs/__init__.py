"""How work is run: a resumable map over local processes or a Dask cluster, with a ledger; it knows no case."""
