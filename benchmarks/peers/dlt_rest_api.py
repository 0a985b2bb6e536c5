"""eTelecom through dlt's own declarative source, tuned.

`python -m benchmarks.peers.dlt_rest_api SAID PAGE_SIZE` loads `dlt.duckdb` in the working directory: one
request chain over the whole history, Parquet load files, uncompressed extract files, merge by `id`, lists as
nested tables of dlt's own.
"""

from __future__ import annotations

import json
import os
import sys

import dlt
from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator
from dlt.sources.rest_api import rest_api_source


def main(said: str, page_size: str) -> None:
    """Load every call log."""
    os.environ["DATA_WRITER__DISABLE_COMPRESSION"] = "true"
    # The client puts a slash behind its base, so the path begins with the last part of the address.
    account = json.loads(said)
    host, service = account["base_url"].rsplit("/", 1)
    source = rest_api_source(
        {
            "client": {"base_url": host, "headers": {"Authorization": f"Bearer {account['api_key']}"}},
            "resources": [
                {
                    "name": "call_logs",
                    "primary_key": "id",
                    "write_disposition": "merge",
                    "endpoint": {
                        "path": f"{service}.Etelecom/ListCallLogs",
                        "method": "POST",
                        "json": {"paging": {"limit": int(page_size)}},
                        "data_selector": "call_logs",
                        "paginator": JSONResponseCursorPaginator(
                            cursor_path="paging.next", cursor_body_path="paging.after"
                        ),
                    },
                }
            ],
        }
    )
    pipeline = dlt.pipeline(
        "rest_api",
        destination=dlt.destinations.duckdb("dlt.duckdb"),
        dataset_name="etelecom",
        pipelines_dir="pipelines",
    )
    pipeline.run(source, loader_file_format="parquet").raise_on_failed_jobs()


if __name__ == "__main__":
    main(*sys.argv[1:])
