"""The simulator in a process of its own, which a benchmark can also ask: `python -m benchmarks.serving`.

Its arguments are one JSON object: `Simulator`'s, and `page_size`, the most that eTelecom and VBot give. It
prints a line of JSON that describes the providers, then answers each line of JSON on standard input,
`{"question": …, …}`, by one line.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from benchmarks.tables import IDS, LISTS, TEXTS
from simulator import Simulator

NEWS_WITHIN = timedelta(hours=24)
"""New calls start in this last stretch of the history, which every sync reads again."""

_READ_AT_ONCE = 20_000


def rows(simulator: Simulator, provider: str) -> dict[str, int]:
    """How many records the provider shows, as `root`, and how many entries their lists have, by the list."""
    shown = simulator.providers[provider]
    count = len(shown.ledgers[0])
    counted = Counter[str]()
    for start in range(0, count, _READ_AT_ONCE):
        documents = shown.read(0, list(shown.ledgers[0].items(start, start + _READ_AT_ONCE)))
        counted.update(_counted(provider, documents))
    return counted


def news(simulator: Simulator, provider: str, *, new: int, changed: int, text: str) -> dict[str, int]:
    """Show so many new calls, and so many of the last ones changed; all bear a text to find them by.

    What the new ones have is returned, as `rows` counts.
    """
    shown, ledger = simulator.providers[provider], simulator.providers[provider].ledgers[0]
    field: dict[str, Any] = {TEXTS[provider]: text}
    for document in shown.read(0, list(ledger.items(len(ledger) - changed))):
        simulator.change(provider, document[IDS[provider]], **field)
    moments = (simulator.until - NEWS_WITHIN * ((number + 1) / (new + 1)) for number in range(new))
    added = [simulator.add_late(provider, moment, **field) for moment in moments]
    items = [item for key in added if (item := ledger.find(key, None)) is not None]
    return _counted(provider, shown.read(0, items))


def _counted(provider: str, documents: Sequence[dict[str, Any]]) -> dict[str, int]:
    """VBot's v3 records name one caller and one callee instead of lists."""
    counted = {"root": len(documents)}
    for name in LISTS[provider]:
        if provider == "vbot":
            counted[name] = sum(bool(document.get(f"{name}_info")) for document in documents)
        else:
            counted[name] = sum(len(document.get(name) or ()) for document in documents)
    return counted


def _answer(simulator: Simulator, asked: dict[str, Any]) -> Any:
    question = asked.pop("question")
    if question == "rows":
        return rows(simulator, **asked)
    if question == "news":
        return news(simulator, **asked)
    if question == "pace":
        entries = simulator.requests.select(asked["provider"])
        said = {
            "requests": len(entries),
            "most_in_a_second": simulator.requests.peak_per_second(asked["provider"]),
        }
        simulator.requests.clear()
        return said
    raise ValueError(f"there is no question {question}")


def main() -> None:
    """Serve until standard input ends."""
    given = json.loads(sys.argv[1])
    given["until"] = datetime.fromisoformat(given["until"])
    page_size = given.pop("page_size")
    with Simulator(**given, etelecom_max_limit=page_size) as simulator:
        simulator.vbot.max_size = page_size
        print(json.dumps(simulator.describe()), flush=True)
        for line in sys.stdin:
            print(json.dumps(_answer(simulator, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
