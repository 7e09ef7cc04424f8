"""From a request to what it came to: the cache, the models in order, and each one's attempts."""

import logging
import threading
import time
import traceback
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import anyio
from anyio import to_thread

from core.errors import AppError, ErrorKind
from core.generation.breaker import Breakers
from core.generation.cache import Kept, ResponseCache
from core.generation.generation import Generation
from core.generation.limiter import Admission, RateLimiter, waited_too_long
from core.generation.retry import (
    MAY_BE_CHARGED,
    RetryPolicy,
    another_may_answer,
    counts_against_provider,
)
from core.generation.settling import CallPricer
from core.generation.stream import ProviderStream
from core.generation.types import BudgetGate, ModelRef, Waiting, WaitReason, longest_output
from core.i18n import N_
from core.providers.credentials import Route
from core.providers.estimate import estimate_prompt_tokens, estimate_tokens
from core.providers.registry import ProviderRegistry
from core.providers.types import TokenUsage

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Resources:
    """What every call goes through, shared by all of them."""

    registry: ProviderRegistry
    pricer: CallPricer
    limiter: RateLimiter
    breakers: Breakers
    cache: ResponseCache
    retry: RetryPolicy
    budgets: BudgetGate | None = None
    # Between looking at a budget and counting a call against it no other call may look.
    budget_lock: threading.Lock = field(default_factory=threading.Lock)


class Attempts:
    """Asks for one answer. `run` never raises; then the fields say how it went.

    `stream` is the last attempt and `completion` what it asked; `count` attempts were made, and before the last
    one `may_be_charged` broke off without a word on what they cost.
    """

    def __init__(self, generation: Generation, resources: Resources) -> None:
        self.occurred_at = datetime.now(UTC)
        self.started = self.ended = time.monotonic()
        self.completion = generation.request.completion
        self.stream = ProviderStream(generation)
        self.error: AppError | None = None
        self.kept: Kept | None = None  # an answer from the cache
        self.count = 0
        self.may_be_charged = 0
        self.may_have_worked = False  # the model on the last attempt, as far as anybody knows
        self.held = False  # against the budgets
        self.key_ref: str | None = None
        self._label = ""  # of the provider that is asked
        self._generation = generation
        self._resources = resources
        self._deadline = self.started + generation.request.deadline_seconds

    async def run(self) -> None:
        """Until the model ends, someone stops it, the deadline passes or something fails for good."""
        request = self._generation.request
        deadline = anyio.current_time() + request.deadline_seconds
        scope = self._generation.scope = anyio.CancelScope(deadline=deadline)
        if self._generation.ended_by is not None:
            scope.cancel()
        try:
            with scope:
                if not await self._from_cache():
                    await self._ask_in_order()
            if scope.cancelled_caught and self._generation.ended_by is None:
                self.error = self._late()
        except AppError as error:
            self.error = error
        except TimeoutError:
            self.error = self._late()
        except Exception as error:  # noqa: BLE001 - whatever an SDK throws, the call is recorded
            # The message may quote what was sent: only the kind and the place are logged.
            frames = "".join(traceback.format_tb(error.__traceback__))
            _logger.error("%s in the stream of %s:\n%s", type(error).__name__, request.provider, frames)
            self.error = AppError(
                ErrorKind.INTERNAL,
                N_("AIHub could not read the answer ({reason}). Try again; the log says where it failed."),
                reason=type(error).__name__,
            )
        finally:
            self.ended = time.monotonic()

    def _late(self) -> AppError:
        request, waiting = self._generation.request, self._generation.waiting
        if waiting is not None and waiting.reason is not WaitReason.RETRY:
            return waited_too_long(self._label, waiting.reason)
        return AppError(
            ErrorKind.TIMEOUT,
            N_("The model took longer than {seconds} s and was stopped. Try again, or ask for less."),
            seconds=int(request.deadline_seconds),
        )

    async def _from_cache(self) -> bool:
        if not self._resources.cache.applies(self._generation.request):
            return False
        try:
            self.kept = await to_thread.run_sync(
                self._resources.cache.find, self._generation.request, abandon_on_cancel=True
            )
        except AppError as error:
            _logger.warning("the cache could not be read: %s", error)
        if self.kept is not None and self.kept.text:
            self._generation.append(self.kept.text)
        return self.kept is not None

    async def _ask_in_order(self) -> None:
        request = self._generation.request
        chain = (self._generation.answered_by, *request.fallbacks)
        failed: tuple[AppError, ModelRef] | None = None
        for position, model in enumerate(chain, start=1):
            self._generation.answered_by = model
            self.completion = (
                request.completion if position == 1 else replace(request.completion, model=model.model)
            )
            try:
                await self._ask(model)
            except AppError as error:
                # A stand-in that cannot take such a request (a picture, say) tells nothing of what went wrong.
                unable = failed is not None and error.kind is ErrorKind.VALIDATION
                failed = failed if failed is not None and unable else (error, model)
                begun = self.stream.first_token is not None
                if begun or position == len(chain) or not (unable or another_may_answer(error)):
                    self._generation.answered_by = failed[1]
                    raise failed[0] from None
                _logger.info("%s failed (%s); %s is asked instead", model, error.kind, chain[position])
                self._count_charge(error)
            else:
                return

    async def _ask(self, model: ModelRef) -> None:
        """One model with its retries; the error that stays."""
        resources, request = self._resources, self._generation.request
        # Of this model nothing was heard yet, whatever the one before said.
        self.stream = ProviderStream(self._generation)
        self.key_ref = None
        route = await resources.registry.route_on_loop(model.provider, request.user_id)
        self.key_ref, self._label = route.key_ref, route.provider.info.label
        resources.registry.note_use(route)
        await self._hold_budget(model)
        failures: list[AppError] = []
        books = self.may_be_charged, self.may_have_worked
        while True:
            try:
                return await self._attempt(model, route)
            except AppError as error:
                if failures and error.kind is ErrorKind.CIRCUIT_OPEN:
                    # Others met the same trouble meanwhile; what it is says more than that it lasts. Nothing
                    # followed that attempt after all.
                    self.may_be_charged, self.may_have_worked = books
                    raise failures[-1] from None
                failures.append(error)
                await self._wait_to_retry(model, route, failures)
                books = self.may_be_charged, self.may_have_worked
                self._count_charge(error)

    async def _attempt(self, model: ModelRef, route: Route) -> None:
        resources, label = self._resources, self._label
        resources.breakers.check(model.provider, route.key_ref, label)
        async with resources.limiter.admitted(
            model.provider, route, self.completion, self._note_waiting
        ) as admission:
            admission.used = 0
            passage = resources.breakers.enter(model.provider, route.key_ref, label)
            self.stream = ProviderStream(self._generation, passage.answered)
            self.count += 1
            self.may_have_worked = True
            admission.used = None
            try:
                await self.stream.read(route.provider, self.completion)
            except AppError as error:
                if counts_against_provider(error):
                    passage.failed()
                elif error.kind is not ErrorKind.RATE_LIMIT:
                    passage.answered()
                self._settle_tokens(admission, error)
                said = self.stream.usage is not None or self.stream.first_token is not None
                self.may_have_worked = said or error.kind in MAY_BE_CHARGED
                raise
            else:
                self._settle_tokens(admission, None)
            finally:
                passage.left()

    async def _wait_to_retry(self, model: ModelRef, route: Route, failures: list[AppError]) -> None:
        """Sleep until the model is to be asked again; raises the last failure when it is not."""
        error = failures[-1]
        seconds = self._resources.retry.pause(failures) if self.stream.first_token is None else None
        if (
            seconds is None
            or time.monotonic() + seconds >= self._deadline
            or self._resources.breakers.state(model.provider, route.key_ref).open
        ):
            raise error
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        self._generation.waiting = Waiting(WaitReason.RETRY, until, len(failures) + 1)
        await anyio.sleep(seconds)

    async def _hold_budget(self, model: ModelRef) -> None:
        budgets = self._resources.budgets
        if budgets is not None and budgets.may_be_active:
            await to_thread.run_sync(self._hold, budgets, model)

    def _hold(self, budgets: BudgetGate, model: ModelRef) -> None:
        if not budgets.active:
            return
        request = self._generation.request
        usage = TokenUsage(
            input_tokens=estimate_prompt_tokens(self.completion),
            output_tokens=longest_output(self.completion),
            estimated=True,
        )
        worst = self._resources.pricer.cost(model.provider, model.model, usage, self.occurred_at)
        with self._resources.budget_lock:
            if self.held:
                # What the model before would have cost is not to be spent any more.
                budgets.release(request.request_id)
            budgets.check(request.user_id, model.provider, worst)
            budgets.hold(request.request_id, request.user_id, model.provider, worst)
            self.held = True

    def _settle_tokens(self, admission: Admission, error: AppError | None) -> None:
        """What the attempt took of its tokens a minute; when nobody knows, what was reserved stands."""
        stream = self.stream
        if stream.usage is not None and stream.end is not None:
            admission.used = max(0, stream.usage.total_tokens)
        elif stream.first_token is not None:
            written = estimate_tokens(self._generation.text)
            admission.used = estimate_prompt_tokens(self.completion) + written
        elif error is not None and error.kind not in MAY_BE_CHARGED:
            admission.used = 0

    def _count_charge(self, error: AppError) -> None:
        """Note an attempt that was given up, once: another one follows it."""
        if self.may_have_worked and error.kind in MAY_BE_CHARGED:
            self.may_be_charged += 1
        self.may_have_worked = False

    def _note_waiting(self, waiting: Waiting | None) -> None:
        self._generation.waiting = waiting
