"""One stream of a provider, from its first event to what it came to."""

import logging
import time
import traceback
from contextlib import aclosing
from datetime import UTC, datetime

import anyio

from core.errors import AppError, ErrorKind
from core.generation.generation import Generation
from core.generation.settling import NOT_CHARGED, CallPricer, settle_usage
from core.generation.types import Outcome
from core.i18n import N_
from core.providers.registry import ProviderRegistry
from core.providers.types import FinishReason, StreamEnd, TextDelta, TokenUsage, UsageReport
from core.store.text import storable
from core.usage.types import CallStatus

_logger = logging.getLogger(__name__)


class ProviderStream:
    """Fills a generation's buffer from its provider. `run` never raises; `outcome` says how it went."""

    def __init__(self, generation: Generation, registry: ProviderRegistry, pricer: CallPricer) -> None:
        self.occurred_at = datetime.now(UTC)
        self._generation = generation
        self._registry = registry
        self._pricer = pricer
        self._started = time.monotonic()
        self._first_token: float | None = None
        self._usage: TokenUsage | None = None
        self._end: StreamEnd | None = None
        self._error: AppError | None = None

    async def run(self) -> None:
        """Read until the model ends, someone stops it, the deadline passes or something fails."""
        request = self._generation.request
        scope = self._generation.scope = anyio.CancelScope()
        if self._generation.ended_by is not None:
            scope.cancel()
        try:
            with scope, anyio.fail_after(request.deadline_seconds):
                await self._read()
        except AppError as error:
            self._error = error
        except TimeoutError:
            self._error = AppError(
                ErrorKind.TIMEOUT,
                N_("The model took longer than {seconds} s and was stopped. Try again, or ask for less."),
                seconds=int(request.deadline_seconds),
            )
        except Exception as error:  # noqa: BLE001 - whatever an SDK throws, the call is recorded
            # The message may quote what was sent: only the kind and the place are logged.
            frames = "".join(traceback.format_tb(error.__traceback__))
            _logger.error("%s in the stream of %s:\n%s", type(error).__name__, request.provider, frames)
            self._error = AppError(
                ErrorKind.INTERNAL,
                N_("AIHub could not read the answer ({reason}). Try again; the log says where it failed."),
                reason=type(error).__name__,
            )

    def outcome(self) -> Outcome:
        """What the call came to; after `run`."""
        request = self._generation.request
        text = self._generation.text
        error = self._failure(text)
        usage = settle_usage(request.completion, self._usage, text, self._end is not None, error)
        cost = self._pricer.cost(request.provider, request.completion.model, usage, self.occurred_at)
        if error is not None and usage == TokenUsage():
            cost = NOT_CHARGED
        return Outcome(
            status=CallStatus.FAILED if error else self._stopped_by() or CallStatus.COMPLETED,
            text=text,
            usage=usage,
            cost=cost,
            latency_ms=_milliseconds(self._started, time.monotonic()),
            first_token_ms=_milliseconds(self._started, self._first_token) if self._first_token else None,
            finish_reason=self._end.reason if self._end else None,
            error=error,
        )

    async def _read(self) -> None:
        request = self._generation.request
        provider = self._registry.get(request.provider)
        async with aclosing(provider.stream(request.completion)) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    self._first_token = self._first_token or time.monotonic()
                    self._generation.append(storable(event.text))
                elif isinstance(event, UsageReport):
                    self._usage = event.usage
                else:
                    self._end = event

    def _stopped_by(self) -> CallStatus | None:
        """Who ended it from outside, unless the model had ended by itself before."""
        return self._generation.ended_by if self._end is None else None

    def _failure(self, text: str) -> AppError | None:
        if self._stopped_by() is not None:
            return None
        if self._error is None and self._end and self._end.reason is FinishReason.SAFETY and not text:
            return AppError(
                ErrorKind.SAFETY,
                N_("The provider blocked this answer for safety ({reason}). Rephrase the message."),
                reason=self._end.raw_reason or "safety",
            )
        return self._error


def _milliseconds(start: float, end: float) -> int:
    return round((end - start) * 1000)
