"""/metrics for Prometheus: what the hub does, in numbers. No user, no key, no text and no model stands in them.

AIHUB_METRICS says who may read it: nobody (it is not there), programs on this machine, or who has the token.
"""

import hmac
import platform
from collections.abc import Iterable
from typing import TYPE_CHECKING

from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from starlette.exceptions import HTTPException

from api.guard import is_loopback
from api.hosts import host_name
from api.identity import Hub
from api.request_counts import BOUNDS, RequestCounts
from api.service import VERSION
from core.config import Settings
from core.errors import AppError, ErrorKind
from core.i18n import N_
from core.services import Services

if TYPE_CHECKING:
    from prometheus_client.core import Metric

router = APIRouter(tags=["service"])


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus text."},
        401: {"description": "The token of AIHUB_METRICS_TOKEN is missing."},
        404: {"description": "AIHUB_METRICS is off, or local and asked from elsewhere."},
    },
)
async def metrics(request: Request, hub: Hub) -> Response:
    """Read the hub's metrics in Prometheus' text format. AIHUB_METRICS decides who may."""
    _let_in(request, hub.settings)
    counts: RequestCounts = request.app.state.counts
    return await to_thread.run_sync(_rendered, hub, counts, request.headers.get("accept", ""))


def _let_in(request: Request, settings: Settings) -> None:
    if settings.metrics == "off" or (settings.metrics == "local" and not _is_local(request)):
        raise HTTPException(404)
    if settings.metrics == "token":
        kind, _space, given = request.headers.get("authorization", "").partition(" ")
        assert settings.metrics_token is not None, "the settings see to it"
        expected = settings.metrics_token.get_secret_value()
        if kind.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), expected.encode()):
            raise AppError(
                ErrorKind.UNAUTHORIZED,
                N_("Send the token of AIHUB_METRICS_TOKEN as `Authorization: Bearer …`."),
            )


def _is_local(request: Request) -> bool:
    # By the name as well: behind a proxy that does not say for whom it asks, every address is this machine's.
    return (
        request.client is not None
        and is_loopback(request.client.host)
        and is_loopback(host_name(request.scope))
    )


def _rendered(hub: Services, counts: RequestCounts, accept: str) -> Response:
    from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
    from prometheus_client.exposition import choose_encoder

    # Made for one reading: the counts themselves are kept elsewhere, and cost nothing while nobody reads.
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    registry.register(_Collector(hub, counts))
    encode, content_type = choose_encoder(accept)
    return Response(encode(registry), media_type=content_type, headers={"Cache-Control": "no-store"})


class _Collector:
    """Turns the counts of the application and of the engine into Prometheus' metrics."""

    def __init__(self, hub: Services, counts: RequestCounts) -> None:
        self._hub = hub
        self._counts = counts

    def collect(self) -> "Iterable[Metric]":
        yield from self._of_requests()
        yield from self._of_generations()
        yield from self._of_the_hub()

    def _of_requests(self) -> "Iterable[Metric]":
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        labels = ("surface", "route", "method", "status")
        took = HistogramMetricFamily(
            "aihub_http_request_duration_seconds",
            "Requests, and the seconds until their answer had been sent; of a stream until its end.",
            labels=labels,
        )
        for kind, tally in list(self._counts.tallies.items()):
            buckets, total = list[tuple[str, float]](), 0
            for bound, count in zip((*map(str, BOUNDS), "+Inf"), tally.buckets, strict=True):
                total += count
                buckets.append((bound, total))
            took.add_metric((kind.surface, kind.route, kind.method, kind.status), buckets, tally.seconds)
        yield took
        refused = CounterMetricFamily(
            "aihub_http_rate_limited", "Requests answered with 429.", labels=("surface",)
        )
        for surface, count in list(self._counts.refused.items()):
            refused.add_metric((surface,), count)
        yield refused
        yield GaugeMetricFamily("aihub_sse_streams_open", "Streams open now.", self._counts.streams)
        yield GaugeMetricFamily("aihub_websockets_open", "WebSockets open now.", self._counts.sockets)

    def _of_generations(self) -> "Iterable[Metric]":
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        activity = self._hub.generation.activity()
        yield GaugeMetricFamily("aihub_generations_running", "Answers being written now.", activity.running)
        yield GaugeMetricFamily(
            "aihub_generations_waiting", "Answers that stand in line for a rate limit now.", activity.waiting
        )
        ended = CounterMetricFamily(
            "aihub_generations", "Answers that have ended.", labels=("provider", "status")
        )
        for (provider, status), count in activity.ended.items():
            ended.add_metric((provider, status.value), count)
        yield ended
        tokens = CounterMetricFamily(
            "aihub_tokens",
            "Tokens of answers; input includes cached_input, output includes reasoning.",
            labels=("provider", "kind"),
        )
        for (provider, kind), count in activity.tokens.items():
            tokens.add_metric((provider, kind), count)
        yield tokens
        limited = CounterMetricFamily(
            "aihub_generations_rate_limited",
            "Answers that failed on a rate limit, AIHub's own or the provider's.",
            labels=("provider",),
        )
        for provider, count in activity.rate_limited.items():
            limited.add_metric((provider,), count)
        yield limited

    def _of_the_hub(self) -> "Iterable[Metric]":
        from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily

        breakers = GaugeMetricFamily(
            "aihub_breakers_open",
            "Keys of a provider that is left alone just now; 0 for one that failed and may be asked.",
            labels=("provider",),
        )
        for provider, count in sorted(self._hub.breakers.open_by_provider().items())[:50]:
            breakers.add_metric((provider,), count)
        yield breakers
        build = InfoMetricFamily("aihub_build", "What runs here.")
        build.add_metric(
            (),
            {
                "version": VERSION,
                "python": platform.python_version(),
                "database": self._hub.unit.dialect,
            },
        )
        yield build
