"""What a call came to, from its attempts."""

import json
import logging

from core.errors import AppError, ErrorKind
from core.generation.attempts import Attempts
from core.generation.generation import Generation
from core.generation.settling import NOT_CHARGED, NOT_SENT, CallPricer, Settled, settle
from core.generation.types import ModelRef, Outcome
from core.i18n import N_
from core.pricing.types import CallCost, Money
from core.providers.types import FinishReason, StreamEnd, TokenUsage
from core.usage.types import CallStatus

_logger = logging.getLogger(__name__)


def outcome_of(generation: Generation, attempts: Attempts, pricer: CallPricer) -> Outcome:
    """How the answer ended; after `attempts.run`. In a worker thread: prices may have to be read."""
    try:
        return _outcome_of(generation, attempts, pricer)
    except Exception as error:
        # Whatever it was, the answer has to end, and stand in the ledger.
        _logger.exception("what an answer came to could not be told")
        return Outcome(
            status=CallStatus.FAILED,
            text=generation.text,
            usage=TokenUsage(estimated=True),
            cost=CallCost(None, "unpriced: AIHub could not tell what the call came to"),
            latency_ms=_milliseconds(attempts.started, attempts.ended),
            error=AppError(
                ErrorKind.INTERNAL,
                N_("AIHub could not read the answer ({reason}). Try again; the log says where it failed."),
                reason=type(error).__name__,
            ),
            answered_by=generation.answered_by,
            attempts=attempts.count,
            key_ref=attempts.key_ref,
        )


def _outcome_of(generation: Generation, attempts: Attempts, pricer: CallPricer) -> Outcome:
    if attempts.kept is not None:
        return _from_cache(generation, attempts)
    stream, model, request = attempts.stream, generation.answered_by, generation.request
    asked_first = ModelRef(request.provider, request.completion.model)
    text = generation.text
    stopped = generation.ended_by if stream.end is None else None
    error = None if stopped else _failure(attempts.error, stream.end, text, bool(stream.tool_calls))
    settled = Settled(TokenUsage(), NOT_SENT if stopped else NOT_CHARGED)
    if attempts.may_have_worked:
        settled = settle(
            pricer,
            model,
            attempts.occurred_at,
            attempts.completion,
            stream.usage,
            text + "".join(f"{call.name}{json.dumps(dict(call.arguments))}" for call in stream.tool_calls),
            stream.end is not None,
            error,
        )
    return Outcome(
        status=CallStatus.FAILED if error else stopped or CallStatus.COMPLETED,
        text=text,
        usage=settled.usage,
        cost=_with_earlier(settled.cost, attempts.may_be_charged),
        latency_ms=_milliseconds(attempts.started, attempts.ended),
        first_token_ms=_first_token_ms(attempts),
        finish_reason=stream.end.reason if stream.end else None,
        raw_reason=stream.end.raw_reason if stream.end else "",
        error=error,
        tool_calls=tuple(stream.tool_calls),
        answered_by=model,
        attempts=attempts.count,
        flag=settled.flag,
        reported=settled.reported,
        key_ref=attempts.key_ref,
        fallback_from=asked_first if model != asked_first else None,
        safety=stream.end.safety if stream.end else (),
        vectors=tuple(stream.vectors),
    )


def _from_cache(generation: Generation, attempts: Attempts) -> Outcome:
    kept = attempts.kept
    assert kept is not None
    took = _milliseconds(attempts.started, attempts.ended)
    currency = kept.saved.currency if kept.saved else "USD"
    source = f"from the cache: an equal request of {kept.created_at.date().isoformat()}"
    return Outcome(
        status=CallStatus.COMPLETED,
        text=kept.text,
        usage=TokenUsage(),
        cost=CallCost(Money(0, currency), source),
        latency_ms=took,
        first_token_ms=took,
        finish_reason=kept.finish_reason,
        tool_calls=kept.tool_calls,
        answered_by=generation.answered_by,
        attempts=0,
        from_cache=True,
        saved=kept.saved,
    )


def _failure(error: AppError | None, end: StreamEnd | None, text: str, called: bool) -> AppError | None:
    if error is None and end and end.reason is FinishReason.SAFETY and not text and not called:
        return AppError(
            ErrorKind.SAFETY,
            N_("The provider blocked this answer for safety ({reason}). Rephrase the message."),
            reason=end.raw_reason or "safety",
        )
    return error


def _with_earlier(cost: CallCost, attempts: int) -> CallCost:
    """The cost with a word on earlier attempts that broke off: the provider may charge those, too."""
    if not attempts:
        return cost
    noun = "attempt" if attempts == 1 else "attempts"
    return CallCost(cost.amount, f"{cost.source[:150]} · {attempts} earlier {noun} may be charged too")


def _first_token_ms(attempts: Attempts) -> int | None:
    """None for embeddings, which come all at once: how long answers take to begin is no question of theirs."""
    first = attempts.stream.first_token
    return _milliseconds(attempts.started, first) if first and not attempts.stream.vectors else None


def _milliseconds(start: float, end: float) -> int:
    return round((end - start) * 1000)
