"""What a select reads is told from its text, and is what a parser tells."""

from __future__ import annotations

import sqlglot
from sqlglot import exp

from pipelines import data_tests, views
from pipelines.config import General
from pipelines.reading_sql import exchanged, references
from sources.registry import PROVIDERS


def parsed(select: str) -> exp.Expr:
    return sqlglot.parse_one(select, dialect="duckdb")


def tables(select: str) -> set[str]:
    return {f"{table.db}.{table.name}" for table in parsed(select).find_all(exp.Table) if table.db}


def test_what_each_relation_reads_is_what_a_parser_finds() -> None:
    everything = [*views.own_views(PROVIDERS, General(accounts=("vbot.o'hara",))), *views.sql_views()]
    known = {view.name for view in everything} | views.KEPT.keys()
    for view in [*everything, *data_tests.all_tests()]:
        read = tables(view.select)
        assert references(view.select) >= read, view.name
        assert references(view.select) & known == read & known, view.name


def test_names_in_comments_and_texts_are_no_references() -> None:
    select = "-- from b.two\nwith x as (select 'from c.three' as text from a.one) select * from x"
    assert references(select) == {"a.one"}


def test_what_is_read_is_exchanged_and_keeps_its_name() -> None:
    select = """
    -- from a.one
    select one.n, other.n, 'join a.one' as text
    from a.one inner join a.one as other on one.n is not distinct from other.n left join b.two on true
    """
    replaced = {"a.one": "(select 1 as n)"}
    assert parsed(exchanged(select, replaced.get)) == parsed(
        """
        select one.n, other.n, 'join a.one' as text
        from (select 1 as n) as one inner join (select 1 as n) as other on one.n is not distinct from other.n
        left join b.two on true
        """
    )
