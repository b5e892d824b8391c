"""One thread inside BLAS, so that a replay is equal to the last bit whatever the machine's settings."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from threadpoolctl import threadpool_limits

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def with_one_blas_thread(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """The function, run with one thread inside BLAS and LAPACK.

    Notes
    -----
    More threads would sum in another order, and cost more than they give for many small dense systems. The limit
    holds for the whole process while the function runs; the caller's setting comes back after it.
    """

    @wraps(function)
    def limited(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        with threadpool_limits(limits=1, user_api="blas"):
            return function(*args, **kwargs)

    return limited
