"""Reading thousands of rows without Python's garbage collector looking through them as they come."""

import gc
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


def uncollected(read: Callable[_P, _T]) -> Callable[_P, _T]:
    """`read` without collections in between: it makes tens of thousands of rows and numbers and no cycle, and looking
    for one takes a good part of its time. Meanwhile other threads go without, too, for some milliseconds."""

    @wraps(read)
    def reading(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        if not gc.isenabled():
            return read(*args, **kwargs)
        gc.disable()
        try:
            return read(*args, **kwargs)
        finally:
            gc.enable()

    return reading
