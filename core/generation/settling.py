"""What a call used and cost: reported where it was, estimated and said so where it did not end by itself."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from core.errors import AppError, ErrorKind
from core.generation.types import ModelRef
from core.pricing.rates import contradiction
from core.pricing.service import PriceBook
from core.pricing.types import CallCost, Money
from core.providers.estimate import estimate_prompt_tokens, estimate_tokens
from core.providers.registry import ProviderRegistry
from core.providers.types import ModelRequest, TokenUsage

NOT_SENT = CallCost(Money(0, "USD"), "not charged: the call ended before a model worked on it")
NOT_CHARGED = CallCost(Money(0, "USD"), "not charged: the call failed before the model worked")

# The request reached the provider and the model may have worked, though nothing came back.
_MAY_HAVE_WORKED = frozenset({ErrorKind.TIMEOUT, ErrorKind.CUT_STREAM})


def settle_usage(
    request: ModelRequest, reported: TokenUsage | None, text: str, ended: bool, error: AppError | None
) -> TokenUsage:
    """The usage to record for a call that wrote `text`.

    `reported` is the provider's last word (None if it said nothing) and final when the stream `ended`
    by itself. A call that was refused used nothing.
    """
    if reported is not None and ended:
        return reported
    if error is not None and not text and reported is None and error.kind not in _MAY_HAVE_WORKED:
        return TokenUsage()
    output = estimate_tokens(text)
    if reported is None:
        return TokenUsage(input_tokens=estimate_prompt_tokens(request), output_tokens=output, estimated=True)
    # Cut off or stopped: what was reported on the way is a lower bound for what the answer came to.
    return replace(
        reported,
        input_tokens=reported.input_tokens or estimate_prompt_tokens(request),
        output_tokens=max(reported.output_tokens, output + reported.reasoning_tokens),
        estimated=True,
    )


class CallPricer:
    """Prices a call of any provider, also of one that has since been taken out of the settings."""

    def __init__(self, registry: ProviderRegistry, prices: PriceBook) -> None:
        self._registry = registry
        self._prices = prices

    def cost(self, provider: str, model: str, usage: TokenUsage, at: datetime) -> CallCost:
        """What `usage` cost at the prices of `at`; unpriced when nobody knows."""
        try:
            info = self._registry.info(provider)
        except AppError:
            # Gone from the settings; an own price for it may stand.
            return self._prices.cost_at(provider, model, usage, at)
        return self._prices.cost(info, model, usage, at)


@dataclass(frozen=True, slots=True)
class Settled:
    """What goes into the books. `flag` and `reported`: see Outcome."""

    usage: TokenUsage
    cost: CallCost
    flag: str | None = None
    reported: dict[str, Any] | None = None


def settle(
    pricer: CallPricer,
    model: ModelRef,
    at: datetime,
    request: ModelRequest,
    reported: TokenUsage | None,
    text: str,
    ended: bool,
    error: AppError | None,
) -> Settled:
    """Usage and cost of a call that `model` answered; see `settle_usage`.

    Figures that contradict themselves are never summed or priced: they are kept apart, an estimate
    stands in their place, and the call is unpriced.
    """
    fault = contradiction(reported) if reported is not None else None
    if reported is not None and fault is not None:
        usage = settle_usage(request, None, text, ended, error)
        return Settled(usage, CallCost(None, f"unpriced: {fault}"), fault, asdict(reported))
    usage = settle_usage(request, reported, text, ended, error)
    if error is not None and usage == TokenUsage():
        return Settled(usage, NOT_CHARGED)
    return Settled(usage, pricer.cost(model.provider, model.model, usage, at))
