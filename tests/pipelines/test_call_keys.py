"""Calls are found by their whole key, however accounts and ids are mixed."""

from __future__ import annotations

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from pipelines import call_keys

keys = st.lists(
    st.tuples(
        st.sampled_from(["vbot", "etelecom"]), st.sampled_from(["main", "it's"]), st.sampled_from("123")
    ),
    max_size=12,
)


@given(kept=keys, sought=keys.filter(len))
def test_the_places_found_are_those_of_the_calls_sought(
    kept: list[tuple[str, str, str]], sought: list[tuple[str, str, str]]
) -> None:
    with duckdb.connect() as connection:
        for name, rows in (("kept_calls", kept), ("sought_calls", sought)):
            connection.execute(
                f"create table {name} ({', '.join(f'{column} varchar' for column in call_keys.KEY)})"
            )
            for row in rows:
                connection.execute(f"insert into {name} values (?, ?, ?)", row)
        found = connection.execute(call_keys.places(connection, "kept_calls", "sought_calls")).fetchall()
    assert sorted(place for (place,) in found) == [place for place, key in enumerate(kept) if key in sought]
