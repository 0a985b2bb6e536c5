"""A provider's field table of its calls, pickled, as JSON: `python -m benchmarks.record_types PROVIDER`."""

from __future__ import annotations

import base64
import json
import pickle
import sys

from sources.registry import PROVIDERS

if __name__ == "__main__":
    print(json.dumps(base64.b64encode(pickle.dumps(PROVIDERS[sys.argv[1]].calls)).decode()))
