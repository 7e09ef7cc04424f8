"""The demo under contract: no server, no key."""

from core.providers.demo import DemoProvider
from tests.contract.adapter import Adapter

DEMO = Adapter("demo", "demo", lambda url="": DemoProvider(words_per_second=float("inf")))
