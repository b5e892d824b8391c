"""How work is run: threads now; later a resumable map over local processes or a cluster."""
