"""The least that a program does to bring a provider's calls, with their lists, into typed tables of DuckDB.

`python -m benchmarks.peers.floor PROVIDER RECORD_TYPE SAID PAGE_SIZE START END` loads `floor.duckdb` in the
working directory. RECORD_TYPE is callsync's field table as `benchmarks.record_types` gives it: to import it
would load more than a floor needs. SAID is a JSON object with the provider's address and credentials. httpx
fetches days, as many at once as callsync does by default; Arrow's JSON reader parses the answers of a day as
one buffer, and its kernels make callsync's columns of it: the same names and types, sentinels as NULL,
children numbered from 0. DuckDB inserts each day's tables.

It keeps no state and takes nothing up again; it does not merge, so it only ever fills an empty file; it
retries nothing, checks nothing, keeps no field that the documents do not name, puts no shuffled list in
order, derives nothing for reports and publishes nothing. It is a measure, not a program to use.
"""

from __future__ import annotations

import base64
import json
import pickle
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import duckdb
import httpx
import pyarrow as pa

from benchmarks.peers.columns import read, tables_of
from benchmarks.peers.paging import LISTED, PAGES
from sources.shaping.fields import RecordType

AT_ONCE = 8
DAY = timedelta(days=1)
CONSTANTS = {"etelecom": {}, "vbot": {"currency": "VND"}, "voximplant": {}}


def days(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Half-open days from `start` on."""
    while start < end:
        yield start, min(start + DAY, end)
        start += DAY


def main(provider: str, fields: str, said: str, size: str, start: str, end: str) -> None:
    """Load every call of `[start, end)`."""
    pages = PAGES[provider](json.loads(said), int(size))
    record_type: RecordType = pickle.loads(base64.b64decode(fields))  # noqa: S301 - our own
    clients = threading.local()

    def day(window: tuple[datetime, datetime]) -> dict[str, pa.Table]:
        if not hasattr(clients, "client"):
            clients.client = httpx.Client()
        answers = b"\n".join(pages(clients.client, *window))
        if not answers:
            return {}
        return tables_of(record_type, read(record_type, LISTED[provider], answers), CONSTANTS[provider])

    windows = days(datetime.fromisoformat(start), datetime.fromisoformat(end))
    with ThreadPoolExecutor(AT_ONCE) as workers, duckdb.connect("floor.duckdb") as connection:
        connection.execute(f"create schema {provider}")
        created = False
        for tables in workers.map(day, windows):
            for name, table in tables.items():
                columns = ", ".join(
                    f'to_json("{field.name}") as "{field.name}"'
                    if pa.types.is_struct(field.type)
                    else f'"{field.name}"'
                    for field in table.schema
                )
                connection.register("rows", table)
                how = f"insert into {provider}.{name}" if created else f"create table {provider}.{name} as"
                connection.execute(f"{how} select {columns} from rows")  # noqa: S608 - our own tables
            created = created or bool(tables)


if __name__ == "__main__":
    main(*sys.argv[1:])
