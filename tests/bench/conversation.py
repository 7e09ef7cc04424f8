"""A thread of 50 questions and 50 answers, as people and models write them."""

import uuid
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from core.chat.tables import Message, Thread
from core.chat.types import MessageStatus
from core.pricing.types import CallCost, Money
from core.providers.types import FinishReason, Role, TokenUsage

TURNS = 50
FIRST_WORDS = "Answer 1 ends here."
LAST_WORDS = f"Answer {TURNS} ends here."
_MODELS = (("gemini", "gemini-3.8-flash"), ("demo", "demo"))
_QUESTIONS = (
    "How do I read a large CSV file without filling the memory? It has about 40 million rows, and I need two columns.",
    "Explain the difference between `left join` and `inner join` with an example.",
    "Напиши, пожалуйста, вежливое письмо клиенту: поставка задерживается на неделю.",
    "Why is my list empty after the loop?\n\n```python\nfor row in reader:\n    pass\nprint(list(reader))\n```",
    "What does it cost to store 2 TB for a year? Compare three options, $ per month.",
)
_ANSWERS = (
    """Read it **in pieces** and keep only what you need:

```python
import pandas as pd

total = 0
for part in pd.read_csv("calls.csv", usecols=["day", "cost"], chunksize=1_000_000):
    total += part.groupby("day")["cost"].sum()
print(total.sort_index())
```

1. `usecols` leaves the other columns on the disk.
2. `chunksize` bounds the memory: about 16 MB a million rows.
3. If you do this often, convert the file to Parquet once:
   [the format](https://parquet.apache.org/) keeps columns apart.

> A database would answer the same question in one line, and faster the second time.
""",
    """Both join rows that belong together. They differ in what happens to a row **without** a partner:

| Join | Left row without a partner | Right row without a partner |
|---|---|---|
| `inner join` | dropped | dropped |
| `left join` | kept, the rest is `NULL` | dropped |
| `full join` | kept | kept |

```sql
SELECT users.name, count(orders.id) AS orders
FROM users LEFT JOIN orders ON orders.user_id = users.id
GROUP BY users.name;
```

With an `inner join` the users who *never ordered* would be missing, and the report would look better than the business.
""",
    """Уважаемая Анна Сергеевна!

К сожалению, поставка по договору № 118 задерживается: **новый срок — 14 ноября**. Причина в таможенном оформлении,
и на сроки следующих партий она не повлияет.

Что мы предлагаем:

- отправить готовую часть заказа (около 60 %) уже сегодня;
- пересчитать стоимость доставки;
- держать вас в курсе каждые два дня.

Приносим извинения за неудобства и благодарим за понимание.
""",
    """The loop has *used up* the reader: it is an iterator, and `list(reader)` starts where the loop ended, at the end.

- Keep the rows: `rows = list(reader)`, then loop over `rows`.
- Or open the file again.

```python
with open("calls.csv", newline="") as file:
    rows = list(csv.reader(file))
for row in rows:
    print(row[0])
```

The complexity stays $O(n)$, and the memory grows with the file.
""",
    """Roughly, with prices per GB and month:

### Options
| Storage | $ per GB | 2 TB a month |
|---|---:|---:|
| Hot object storage | 0.023 | $47.10 |
| Cool, read once a month | 0.010 | $20.48 |
| Archive, hours to read | 0.001 | $2.05 |

**Reading is billed apart.** Once the data is read more than twice a month, the hot tier is the cheaper one. See
<https://example.com/prices> for what a request costs.
""",
)


def add_thread(session: Session, user_id: int) -> str:
    """Store the thread; returns its UUID. The last answer ends with `LAST_WORDS`."""
    start = datetime.now(UTC) - timedelta(hours=3)
    provider, model = _MODELS[0]
    thread = Thread(
        uuid=str(uuid.uuid4()),
        user_id=user_id,
        title="A long conversation",
        provider=provider,
        model=model,
        created_at=start,
        updated_at=start,
        last_message_at=start + timedelta(minutes=TURNS),
    )
    session.add(thread)
    session.flush()
    for turn in range(TURNS):
        moment = start + timedelta(minutes=turn)
        session.add(_question(thread.id, turn, moment))
        session.flush()
        session.add(_answer(thread.id, turn, moment))
        session.flush()
    return thread.uuid


def _question(thread_id: int, turn: int, moment: datetime) -> Message:
    return Message(
        thread_id=thread_id,
        role=Role.USER.value,
        content=_QUESTIONS[turn % len(_QUESTIONS)],
        status=MessageStatus.COMPLETE.value,
        created_at=moment,
    )


def _answer(thread_id: int, turn: int, moment: datetime) -> Message:
    provider, model = _MODELS[turn % len(_MODELS)]
    usage = TokenUsage(input_tokens=400 + 310 * turn, output_tokens=290, estimated=provider == "demo")
    cost = CallCost(Money(0 if provider == "demo" else 1_512_300 + 9_300 * turn, "USD"), "bench")
    assert cost.amount is not None
    return Message(
        thread_id=thread_id,
        role=Role.ASSISTANT.value,
        # No two alike: Streamlit sends a message it has sent before by its hash alone.
        content=f"{_ANSWERS[turn % len(_ANSWERS)]}\nAnswer {turn + 1} ends here.",
        status=MessageStatus.COMPLETE.value,
        created_at=moment,
        provider=provider,
        model=model,
        request_id=str(uuid.uuid4()),
        started_at=moment,
        usage=asdict(usage),
        cost_nano=cost.amount.nano,
        currency=cost.amount.currency,
        price_source=cost.source,
        finish_reason=FinishReason.STOP.value,
        latency_ms=2_300,
        first_token_ms=420,
    )
